package screen

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"
	"golang.org/x/text/unicode/norm"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
)

// Hasher hashes the password of a link; see sharing.HashPassword.
type Hasher func(password string) (sharing.Hash, error)

// Ask checks a change of sharing at now (ms since 1970) and makes a command of it that lacks only what depends on the
// dashboard. A password is hashed on the way, which takes some 20 ms (rule P2). Faults name the field that is wrong.
func Ask(c ShareChange, now int64, hash Hasher) (asked sharing.Command, err error) {
	asked.Action = c.Action
	for _, f := range []struct {
		name       string
		set, taken bool
	}{
		{"password", c.Password != "", c.Action == sharing.Enable || c.Action == sharing.SetPassword},
		{"expires", c.Expires != 0, c.Action == sharing.SetExpiry},
		{"slug", c.Slug != "", c.Action == sharing.SetSlug},
		{"still", c.Still, c.Action == sharing.SetStill},
		{"origins", len(c.Origins) > 0, c.Action == sharing.SetOrigins},
		{"invitation", c.Invitation != "", c.Action == sharing.Resend || c.Action == sharing.Revoke},
		{"account", c.Account != "", c.Action == sharing.SetMemberRole},
		{"role", c.Role != sharing.RoleNone, c.Action == sharing.SetMemberRole},
		{"allow", c.Allow, c.Action == sharing.SetEditorShare},
		{"organisation", c.Organisation != "", c.Action == sharing.Move},
	} {
		if f.set && !f.taken {
			return asked, fault.Field(f.name, "This does not belong to the change that is asked for.")
		}
	}
	switch c.Action {
	case sharing.Enable:
		if c.Password != "" {
			asked.Hash, err = hashPassword(hash, string(c.Password))
		}
	case sharing.SetPassword:
		asked.Hash, err = hashPassword(hash, string(c.Password))
	case sharing.SetExpiry:
		asked.Expires = c.Expires
		err = checkExpiry(c.Expires, now)
	case sharing.SetSlug:
		asked.Slug = sharing.Slug(c.Slug)
		if _, ok := sharing.ParseSlug(c.Slug); !ok && c.Slug != "" {
			err = fault.Field("slug", "A name has 3 to 64 small letters, digits and single hyphens between them.")
		}
	case sharing.SetStill:
		asked.Still = c.Still
	case sharing.SetOrigins:
		asked.Origins, err = parseOrigins(c.Origins)
	case sharing.Disable, sharing.Rotate, sharing.RemovePassword:
	case sharing.Delete:
		err = fault.Field("action", "A dashboard is deleted from the trash.")
	case sharing.Resend, sharing.Revoke, sharing.SetMemberRole, sharing.SetEditorShare, sharing.Move:
		err = askPeople(c, &asked)
	case sharing.Invite:
		err = fault.Field("action", "People are invited by their addresses.")
	default:
		err = fault.Field("action", "This change of sharing is not known.")
	}
	return asked, err
}

// maxID bounds the ids of accounts and organisations, in bytes.
const maxID = 64

// askPeople checks a change of people and puts it into asked.
func askPeople(c ShareChange, asked *sharing.Command) error {
	switch c.Action { //nolint:exhaustive // the caller's table has the others
	case sharing.Resend, sharing.Revoke:
		asked.Invitation = c.Invitation
		if _, ok := sharing.ParseInvitationID(string(c.Invitation)); !ok {
			return fault.Field("invitation", "Which invitation? This is the id of none.")
		}
	case sharing.SetMemberRole:
		asked.Account, asked.Role = c.Account, c.Role
		if c.Account == "" || len(c.Account) > maxID {
			return fault.Field("account", "Whose role? This is the id of no account.")
		}
		if c.Role != sharing.RoleNone && !c.Role.CanView() {
			return fault.Field("role", "The role is owner, editor or viewer.")
		}
	case sharing.SetEditorShare:
		asked.Allow = c.Allow
	case sharing.Move:
		asked.Organisation = c.Organisation
		if c.Organisation == "" || len(c.Organisation) > maxID {
			return fault.Field("organisation", "Where to? This is the id of no organisation.")
		}
	}
	return nil
}

// AskInvite checks what was typed to invite people (rule I1). Good are the addresses to invite, bad those that cannot be read,
// as they were typed; text is the message as it goes out. Faults name addresses, role or message.
func AskInvite(addresses string, role sharing.Role, message string) (good, bad []string, text string, err error) {
	good, bad = sharing.ParseInvitees(addresses)
	text = strings.TrimSpace(strings.ReplaceAll(message, "\r\n", "\n"))
	f := sharing.CheckMessage(text)
	switch {
	case f != nil:
		return nil, nil, "", f
	case len(good)+len(bad) == 0:
		return nil, nil, "", fault.Field("addresses", "Whom? Enter at least one e-mail address.")
	case len(good)+len(bad) > sharing.MaxInvitees:
		return nil, nil, "", fault.Field("addresses", fmt.Sprintf("At most %d people can be invited in one go.", sharing.MaxInvitees)).
			WithHint("Invite the others afterwards.")
	}
	if f := sharing.CheckInvitedRole(role); f != nil {
		return nil, nil, "", f
	}
	return good, bad, text, nil
}

// TakesAway reports whether all that a command does is to take access away.
func TakesAway(c sharing.Command) bool {
	switch c.Action {
	case sharing.Disable, sharing.Delete, sharing.Revoke:
		return true
	case sharing.SetMemberRole:
		return !c.Role.CanEdit()
	case sharing.SetEditorShare:
		return !c.Allow
	case sharing.Enable, sharing.Rotate, sharing.SetPassword, sharing.RemovePassword, sharing.SetExpiry, sharing.SetSlug,
		sharing.SetStill, sharing.SetOrigins, sharing.Invite, sharing.Resend, sharing.Move:
	}
	return false
}

// hashPassword hashes a password as it is compared on the server: in Unicode's composed form, so that it does not matter
// which keyboard it was typed on.
func hashPassword(hash Hasher, password string) (sharing.Hash, error) {
	const tooLong = "This password is too long: the limit is 1,024 bytes."
	if len(password) > sharing.MaxPassword {
		return "", fault.Field("password", tooLong)
	}
	if !utf8.ValidString(password) {
		return "", fault.Field("password", "This password is not valid text.")
	}
	password = norm.NFC.String(password)
	switch {
	case len(password) < sharing.MinPassword:
		return "", fault.Field("password", "A password needs at least 6 characters.")
	case len(password) > sharing.MaxPassword:
		return "", fault.Field("password", tooLong)
	}
	h, err := hash(password)
	if err != nil {
		return "", fmt.Errorf("hash the password: %w", err)
	}
	return h, nil
}

func checkExpiry(at, now int64) error {
	switch {
	case at == 0:
		return nil
	case at <= now:
		return fault.Field("expires", "This time has passed already.").WithHint("Choose one in the future, or turn the link off.")
	case at > now+sharing.MaxExpiry:
		return fault.Field("expires", "A link may end at most ten years from now.")
	}
	return nil
}

func parseOrigins(list []string) (sharing.Origins, error) {
	for i, s := range list {
		if _, ok := sharing.ParseOrigin(s); !ok {
			return "", fault.Field(fmt.Sprintf("origins[%d]", i), "This is not the address of a site.").
				WithHint("Write it such as https://example.org, or https://*.example.org for all below it.")
		}
	}
	o, ok := sharing.ParseOrigins(list)
	if !ok {
		return "", fault.Field("origins", fmt.Sprintf("At most %d sites can be named.", sharing.MaxOrigins))
	}
	return o, nil
}

// maxCommands is how many commands one change may need.
const maxCommands = 3

// Names are what the commands of one change are called, and the names of the link if they make a new one (rule L1).
type Names struct {
	commands [maxCommands]string
	token    sharing.Token
	shortID  sharing.ShortID
}

// NewNames makes Names from fresh ULIDs and a cryptographically secure source.
func NewNames(id func() (ulid.ULID, error), random io.Reader) (n Names, err error) {
	for i := range n.commands {
		u, err := id()
		if err != nil {
			return n, err
		}
		n.commands[i] = sharing.NewCommandID(u)
	}
	if n.token, err = sharing.NewToken(random); err != nil {
		return n, fmt.Errorf("make a token: %w", err)
	}
	if n.shortID, err = sharing.NewShortID(random); err != nil {
		return n, fmt.Errorf("make a short id: %w", err)
	}
	return n, nil
}

// Commands are those that bring about what is asked for of a dashboard's link at now; none if it is so already. Turning on
// a link whose end has passed also removes that end (rule L5). MaybeOn says that the link may be on though this one is not.
func Commands(id board.ID, link sharing.Link, asked sharing.Command, n Names, maybeOn bool, now int64) ([]sharing.Command, error) {
	steps := make([]sharing.Command, 0, maxCommands)
	if asked.Action == sharing.Enable && link.Ended(now) {
		// A link that is on and has ended is revived by taking the end away: the password must be there before that.
		if asked.Hash != "" {
			steps = append(steps, sharing.Command{Action: sharing.SetPassword, Hash: asked.Hash})
			asked.Hash = ""
		}
		steps = append(steps, sharing.Command{Action: sharing.SetExpiry})
	}
	steps = append(steps, asked)
	needed := steps[:0]
	for i, c := range steps {
		c.ID, c.Board, c.Base = n.commands[i], id, link.Version
		if c.Action == sharing.Rotate || c.Action == sharing.Enable && link.Token == "" {
			c.Token, c.ShortID = n.token, n.shortID
		}
		next, f := sharing.Decide(link, c, now, sharing.Names{})
		if f != nil {
			return nil, f
		}
		// What is off may still be on at the server, or be turned on by what is on its way.
		if next != link || maybeOn && c.Action == sharing.Disable {
			needed = append(needed, c)
		}
		link = next
	}
	return needed, nil
}

// NewLinkState is a link as the share dialog shows it at now.
func NewLinkState(l sharing.Link, now int64) LinkState {
	origins := l.Origins.List()
	if origins == nil {
		origins = []string{}
	}
	return LinkState{
		Mode: l.Mode(now), Enabled: l.Enabled, Token: l.Token, ShortID: l.ShortID, Version: l.Version,
		Password: l.Password, Expires: l.Expires, Expired: l.Ended(now), Slug: l.Slug, Still: l.Still, Origins: origins,
	}
}

// SetURLs fills in the addresses of a link below a public base URL, none where base is empty.
func (v *ShareView) SetURLs(l sharing.Link, base string) {
	if base == "" {
		return
	}
	v.EmbedScript = base + "/embed.js"
	if l.Token != "" {
		v.URL, v.ShortURL = l.Token.URL(base), l.ShortID.URL(base)
		if l.Slug != "" {
			v.SlugURL = l.Slug.URL(base)
		}
	}
}

// Address is one of the link's addresses by its name in requests: link, short or slug.
func (v *ShareView) Address(of string) (string, error) {
	var url string
	switch of {
	case "link":
		url = v.URL
	case "short":
		url = v.ShortURL
	case "slug":
		url = v.SlugURL
	default:
		return "", fault.Field("of", "The code is one of link, short or slug.")
	}
	if url == "" {
		return "", fault.New(fault.Conflict, "There is no such address yet.").WithHint("Sign in and turn the link on first.")
	}
	return url, nil
}
