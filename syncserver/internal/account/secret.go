package account

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"widgets.pro/syncserver/internal/store"
)

// Token is a secret that stands for somebody: of a session ("ses_"), for programs ("api_"), of a sign-up that waits
// ("clm_"), each with 32 base64url characters behind it, or in a mail ("tkt_" and 48 hexadecimal digits, which no mail
// program cuts off). All are of 192 random bits. It prints as [redacted].
type Token string

const (
	sessionPrefix = "ses_"
	apiPrefix     = "api_"
	claimPrefix   = "clm_"
	ticketPrefix  = "tkt_"
	secretBytes   = 24
)

// Reveal is the token itself, for whoever it was made for.
func (t Token) Reveal() string { return string(t) }

// String is "[redacted]".
func (Token) String() string { return "[redacted]" }

// GoString is "[redacted]".
func (Token) GoString() string { return "[redacted]" }

// LogValue is "[redacted]".
func (Token) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// newToken makes a secret that is not for mails.
func (s *Service) newToken(prefix string) (Token, error) {
	b, err := s.random()
	return Token(prefix + base64.RawURLEncoding.EncodeToString(b)), err
}

// newTicket makes a secret for a mail.
func (s *Service) newTicket() (Token, error) {
	b, err := s.random()
	return Token(ticketPrefix + hex.EncodeToString(b)), err
}

func (s *Service) random() ([]byte, error) {
	b := make([]byte, secretBytes)
	if _, err := io.ReadFull(s.cfg.Random, b); err != nil {
		return nil, fmt.Errorf("make a secret: %w", err)
	}
	return b, nil
}

func hashToken(token string) store.Hash { return sha256.Sum256([]byte(token)) }

// hasForm reports whether a text is the prefix and as many characters as newToken puts behind it.
func hasForm(token, prefix string) bool {
	return strings.HasPrefix(token, prefix) && len(token) == len(prefix)+base64.RawURLEncoding.EncodedLen(secretBytes)
}
