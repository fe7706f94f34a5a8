package syncclient

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/wire"
)

const (
	dialTimeout = 15 * time.Second
	maxAnswer   = 64 << 10 // bytes of an HTTP answer
	product     = "widgets.pro"
)

var errRestarting = errors.New("the server restarts")

// dial opens the websocket. The error is a fault.
func (c *Client) dial(ctx context.Context, server, token string) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, server+wire.SyncPath, &websocket.DialOptions{ //nolint:bodyclose // Dial keeps or replaces the body
		HTTPClient:      c.deps.HTTP,
		HTTPHeader:      http.Header{"Authorization": {"Bearer " + token}},
		Subprotocols:    []string{wire.Subprotocol},
		CompressionMode: websocket.CompressionDisabled,
	})
	if err == nil {
		if conn.Subprotocol() != wire.Subprotocol {
			_ = conn.CloseNow()
			return nil, notOurs(server)
		}
		conn.SetReadLimit(wire.MaxFrame)
		return conn, nil
	}
	if resp == nil {
		return nil, unreachable(server, err)
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		return nil, signInAgain(server)
	case http.StatusForbidden:
		return nil, fault.Newf(fault.Denied, "%s does not let this account in.", hostOf(server)).WithHint("Ask whoever runs the server.")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
		return nil, fault.Newf(fault.Busy, "%s is busy or being restarted.", hostOf(server)).WithHint("It is tried again by itself.")
	}
	if _, err := probe(ctx, c.deps.HTTP, server); err != nil {
		return nil, err
	}
	return nil, fault.Newf(fault.Unavailable, "%s did not open the connection (status %d).", hostOf(server), resp.StatusCode).
		WithHint("If it stands behind a proxy, that must let websockets through.").WithCause(err)
}

// about is what a server says that it is.
type about struct {
	Product  string `json:"product"`
	Versions []int  `json:"versions"`
	// Mailbox is the page where a development server shows the mail that it sent.
	Mailbox string `json:"mailbox"`
}

// probe asks a server what it is. The error is a fault: Invalid if it is not one of ours, Outdated if it speaks no version of
// the protocol that this program knows.
func probe(ctx context.Context, client *http.Client, server string) (told about, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/api/v1/server", nil)
	if err != nil {
		return told, notOurs(server)
	}
	resp, err := client.Do(req)
	if err != nil {
		return told, unreachable(server, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests {
		return told, fault.Newf(fault.Busy, "%s is busy or being restarted.", hostOf(server)).WithHint("Try again in a moment.")
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&told); err != nil || told.Product != product {
		return told, notOurs(server)
	}
	if _, ok := wire.Negotiate(told.Versions); !ok {
		return told, otherVersion(server)
	}
	return told, nil
}

func notOurs(server string) *fault.Error {
	f := fault.Field("server", "There is a server at "+hostOf(server)+", but it is not a widgets.pro server.")
	return f.WithHint("Check the address.")
}

func otherVersion(server string) *fault.Error {
	return fault.Newf(fault.Outdated, "%s speaks another version of the protocol than this program.", hostOf(server)).
		WithHint("Update this program, or ask whoever runs the server to update it. Everything stays saved on this device.")
}

func signInAgain(server string) *fault.Error {
	return fault.Newf(fault.Unauthenticated, "Your session at %s has ended.", hostOf(server)).WithHint("Sign in again.")
}

// unreachable tells why a server cannot be reached, as well as that can be known.
func unreachable(server string, err error) *fault.Error {
	f := fault.Newf(fault.Unavailable, "%s cannot be reached.", hostOf(server)).
		WithHint("Check the network connection and the address.").WithCause(err)
	var (
		noName *net.DNSError
		cert   *tls.CertificateVerificationError
		plain  tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &noName) && noName.IsNotFound:
		f.Message = "There is no server by the name " + hostOf(server) + ", or this device is not connected to the network."
	case errors.As(err, &cert):
		f.Message = "The certificate of " + hostOf(server) + " is not trusted by this device."
		f.Hint = "Check the address, the device's clock, and the server's certificate."
	case errors.As(err, &plain), errors.Is(err, http.ErrSchemeMismatch):
		f.Message = hostOf(server) + " does not answer with an encrypted connection."
		f.Hint = "If it is meant to be reached without encryption, write the address with http:// in front."
	case errors.Is(err, context.DeadlineExceeded):
		f.Message = hostOf(server) + " does not answer."
	}
	return f
}

// normalServer brings a server's address, as people write it, into its normal form: https unless it says otherwise or is
// this machine, no slash at the end.
func normalServer(address string) (string, error) {
	bad := fault.Field("server", "This is not the address of a server.").WithHint("It looks like https://widgets.example.org.")
	s := strings.TrimSpace(address)
	if s == "" {
		return "", fault.Field("server", "Which server? Its address is missing.").WithHint(bad.Hint)
	}
	if len(s) > maxAddress {
		return "", bad
	}
	if !strings.Contains(s, "://") {
		scheme := "https://"
		if u, err := url.Parse("http://" + s); err == nil && isLoopback(u.Hostname()) {
			scheme = "http://"
		}
		s = scheme + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		(u.Scheme != "http" && u.Scheme != "https") {
		return "", bad
	}
	return u.Scheme + "://" + strings.ToLower(u.Host) + strings.TrimRight(u.EscapedPath(), "/"), nil
}

const maxAddress = 500 // bytes

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func hostOf(server string) string {
	if u, err := url.Parse(server); err == nil && u.Host != "" {
		return u.Host
	}
	return server
}

// closed turns the end of a connection into a fault.
func closed(server string, err error) error {
	var ce websocket.CloseError
	if !errors.As(err, &ce) {
		if errors.Is(err, websocket.ErrMessageTooBig) {
			return fault.Newf(fault.TooLarge, "%s sent a message that is too large.", hostOf(server)).WithCause(err)
		}
		return fault.Newf(fault.Unavailable, "The connection to %s broke off.", hostOf(server)).WithHint("It is tried again by itself.").WithCause(err)
	}
	switch ce.Code { //nolint:exhaustive // the codes of this protocol; all others are the default
	case wire.CloseUnauthenticated:
		return signInAgain(server).WithCause(err)
	case wire.CloseOutdated:
		return otherVersion(server).WithCause(err)
	case wire.CloseDenied:
		return fault.Newf(fault.Denied, "%s does not let this account in.", hostOf(server)).WithHint(ce.Reason).WithCause(err)
	case wire.CloseInvalid, wire.CloseTooLarge:
		return fault.Newf(fault.Invalid, "%s did not understand this program.", hostOf(server)).
			WithHint("Update this program. Everything stays saved on this device.").WithCause(err)
	case wire.CloseBusy:
		return fault.Newf(fault.Busy, "%s is busy.", hostOf(server)).WithHint("It is tried again by itself.").WithCause(err)
	case wire.CloseRestarting, websocket.StatusServiceRestart, websocket.StatusGoingAway:
		return fault.Newf(fault.Unavailable, "%s is being restarted.", hostOf(server)).WithHint("It is tried again by itself.").
			WithCause(fmt.Errorf("%w: %w", errRestarting, err))
	}
	return fault.Newf(fault.Unavailable, "%s closed the connection.", hostOf(server)).WithHint("It is tried again by itself.").WithCause(err)
}
