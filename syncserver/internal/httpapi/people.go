package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/httpmw"
	"widgets.pro/syncserver/internal/people"
	"widgets.pro/syncserver/internal/store"
)

// peopleRoutes are those about who can open a dashboard with an account. What they do is what the share dialog does.
func (p *Programs) peopleRoutes(change func(string, account.Scope, int, func(*call) (any, error)) httpmw.Route) []httpmw.Route {
	const one = " /api/v1/boards/{board}"
	share := func(pattern string, h func(*call) (any, error)) httpmw.Route {
		return change(pattern, account.ScopeShare, http.StatusOK, h)
	}
	invite := share("POST"+one+"/invitations", p.invite)
	resend := share("POST"+one+"/invitations/{invitation}/resend", p.named(sharing.Resend))
	for _, r := range []*httpmw.Route{&invite, &resend} {
		r.Limits += "; 50 mails by account and hour, 5 by address and day"
	}
	return []httpmw.Route{
		share("PATCH"+one+"/people", p.changePeople),
		invite, resend,
		share("DELETE"+one+"/invitations/{invitation}", p.named(sharing.Revoke)),
		share("PUT"+one+"/members/{account}", p.setRole),
		share("DELETE"+one+"/members/{account}", p.remove),
	}
}

// members are those who can open a dashboard with an account, and those who are invited.
type members struct {
	Members      []member     `json:"members"`
	Invitations  []invitation `json:"invitations"`
	EditorsShare bool         `json:"editorsShare"`
	Organisation string       `json:"organisation"`
	Size         int          `json:"size"`
}

// member is one of those. Own says that the role was given on this dashboard and does not come with the organisation.
type member struct {
	Account string       `json:"account"`
	Name    string       `json:"name"`
	Email   string       `json:"email,omitempty"`
	Role    sharing.Role `json:"role"`
	Own     bool         `json:"own"`
}

type invitation struct {
	ID       sharing.InvitationID `json:"id"`
	Email    string               `json:"email"`
	Role     sharing.Role         `json:"role"`
	By       string               `json:"by"`
	Invited  time.Time            `json:"invited"`
	Expires  time.Time            `json:"expires"`
	Delivery sharing.Delivery     `json:"delivery"`
	Reason   string               `json:"reason,omitempty"`
}

// people tells who can open a dashboard, to whoever may edit it; addresses and invitations to those alone who may share it.
func (p *Programs) people(c *call) (any, error) {
	var out members
	err := p.cfg.Store.View(c.ctx(), func(tx store.Tx) (err error) {
		out, err = membersOf(tx, c)
		return err
	})
	return out, err //nolint:wrapcheck // says what it was doing
}

func membersOf(tx store.Tx, c *call) (out members, err error) {
	g, err := access.Open(tx, c.principal(), c.id(), access.Edit)
	if err != nil {
		return out, err //nolint:wrapcheck // access's fault is the answer
	}
	m, err := people.Tell(tx, g)
	if err != nil {
		return out, err //nolint:wrapcheck // says what it was doing
	}
	out = members{
		Members: make([]member, len(m.Members)), Invitations: make([]invitation, len(m.Invitations)),
		EditorsShare: m.EditorsShare, Organisation: m.Organisation, Size: m.Size,
	}
	for i, x := range m.Members {
		out.Members[i] = member(x)
	}
	for i, x := range m.Invitations {
		out.Invitations[i] = invitation{
			ID: x.ID, Email: x.Email, Role: x.Role, By: x.By, Invited: *moment(x.Invited), Expires: *moment(x.Expires), Delivery: x.Delivery, Reason: x.Reason,
		}
	}
	return out, nil
}

// invited is what came of inviting: the addresses that have an invitation now, and those that have none, with the reason.
type invited struct {
	Invited []string  `json:"invited"`
	Refused []refused `json:"refused"`
}

type refused struct {
	Address string `json:"address"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// maxAddresses is how many bytes of addresses are read.
const maxAddresses = 64 << 10

// invite invites people by mail. Bad addresses keep the good ones from nothing (rule I1).
func (p *Programs) invite(c *call) (any, error) {
	var in struct {
		Addresses []string     `json:"addresses"`
		Role      sharing.Role `json:"role"`
		Message   string       `json:"message"`
	}
	raw, err := c.body(&in)
	if err != nil {
		return nil, err
	}
	key, err := c.once(raw)
	if err != nil {
		return nil, err
	}
	if in.Role == sharing.RoleNone {
		in.Role = sharing.RoleViewer
	}
	if f := sharing.CheckInvitedRole(in.Role); f != nil {
		return nil, f
	}
	if f := sharing.CheckMessage(in.Message); f != nil {
		return nil, f
	}
	text := strings.Join(in.Addresses, "\n")
	if len(text) > maxAddresses {
		return nil, fault.Field("addresses", fmt.Sprintf("The addresses have at most %d KiB.", maxAddresses>>10))
	}
	good, bad := sharing.ParseInvitees(text)
	if len(good)+len(bad) == 0 || len(good) > sharing.MaxInvitees {
		return nil, fault.Field("addresses", fmt.Sprintf("Give 1 to %d addresses.", sharing.MaxInvitees))
	}
	if key.first, err = p.mayShare(c, key); err != nil {
		return nil, err
	}
	out := invited{Invited: []string{}, Refused: []refused{}}
	for _, s := range bad {
		out.Refused = append(out.Refused, refused{Address: clip(s), Message: "This is not an e-mail address."})
	}
	for _, email := range good {
		cmd := sharing.Command{Action: sharing.Invite, Email: email, Role: in.Role, Message: in.Message}
		u, err := p.newID(c, key, "invitation "+email)
		if err != nil {
			return nil, err
		}
		cmd.Invitation = sharing.NewInvitationID(u)
		f, err := p.do(c, key, cmd, email)
		if err != nil {
			return nil, err
		}
		if f != nil {
			out.Refused = append(out.Refused, refused{Address: email, Message: f.Message, Hint: f.Hint})
			continue
		}
		out.Invited = append(out.Invited, email)
	}
	return out, nil
}

// mayShare lets those through who may manage sharing, and remembers the request's key. It returns when that came first.
func (p *Programs) mayShare(c *call, key once) (at int64, err error) {
	at = key.at
	err = p.cfg.Store.Update(c.ctx(), func(tx store.Tx) error {
		if _, err := access.Open(tx, c.principal(), c.id(), access.Share); err != nil {
			return err //nolint:wrapcheck // access's fault is the answer
		}
		past, again, err := key.again(tx)
		if again {
			at = past.At
		}
		if err != nil || again {
			return err
		}
		return key.remember(tx, store.Answer{Board: c.id()})
	})
	return at, err //nolint:wrapcheck // says what it was doing
}

// do carries out a command on people; f is why it was refused. Part tells the commands of one request apart.
func (p *Programs) do(c *call, key once, cmd sharing.Command, part string) (f *fault.Error, err error) {
	u, err := p.newID(c, key, "command "+part)
	if err != nil {
		return nil, err
	}
	cmd.ID, cmd.Board = sharing.NewCommandID(u), c.id()
	minted, err := p.cfg.People.Prepare(c.ctx(), c.principal(), cmd)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it was doing
	}
	err = p.cfg.Store.Update(c.ctx(), func(tx store.Tx) error {
		o, err := people.Apply(tx, p.cfg.Events, c.principal(), cmd, minted, c.now)
		f = o.Fault
		return err //nolint:wrapcheck // says what it was doing
	})
	return f, err //nolint:wrapcheck // says what it was doing
}

// carryOut carries out one command and answers with who can open the dashboard then; nobody in particular for those who
// have taken their own access away.
func (p *Programs) carryOut(c *call, key once, cmd sharing.Command) (any, error) {
	f, err := p.do(c, key, cmd, "")
	if err != nil {
		return nil, err
	}
	if f != nil {
		return nil, f
	}
	out, err := p.people(c)
	if k := fault.KindOf(err); k == fault.NotFound || k == fault.Denied {
		return members{Members: []member{}, Invitations: []invitation{}}, nil
	}
	return out, err
}

// named is an action on the invitation that the path names.
func (p *Programs) named(a sharing.Action) func(*call) (any, error) {
	return func(c *call) (any, error) {
		key, err := c.once(nil)
		if err != nil {
			return nil, err
		}
		id, ok := sharing.ParseInvitationID(c.r.PathValue("invitation"))
		if !ok {
			f := fault.New(fault.NotFound, "There is no such invitation.")
			f.Field = "invitation"
			return nil, f
		}
		return p.carryOut(c, key, sharing.Command{Action: a, Invitation: id})
	}
}

// setRole changes what somebody is to a dashboard.
func (p *Programs) setRole(c *call) (any, error) {
	var in struct {
		Role sharing.Role `json:"role"`
	}
	raw, err := c.body(&in)
	if err != nil {
		return nil, err
	}
	key, err := c.once(raw)
	if err != nil {
		return nil, err
	}
	if !in.Role.CanView() {
		return nil, fault.Field("role", "A member is owner, editor or viewer.")
	}
	return p.carryOut(c, key, sharing.Command{Action: sharing.SetMemberRole, Account: c.r.PathValue("account"), Role: in.Role})
}

// remove takes somebody off a dashboard.
func (p *Programs) remove(c *call) (any, error) {
	key, err := c.once(nil)
	if err != nil {
		return nil, err
	}
	return p.carryOut(c, key, sharing.Command{Action: sharing.SetMemberRole, Account: c.r.PathValue("account")})
}

// changePeople changes who may share a dashboard and where it belongs.
func (p *Programs) changePeople(c *call) (any, error) {
	var in struct {
		EditorsShare *bool   `json:"editorsShare"`
		Organisation *string `json:"organisation"`
	}
	raw, err := c.body(&in)
	if err != nil {
		return nil, err
	}
	key, err := c.once(raw)
	if err != nil {
		return nil, err
	}
	switch {
	case (in.EditorsShare == nil) == (in.Organisation == nil):
		return nil, fault.New(fault.Invalid, "Change either editorsShare or organisation.")
	case in.EditorsShare != nil:
		return p.carryOut(c, key, sharing.Command{Action: sharing.SetEditorShare, Allow: *in.EditorsShare})
	}
	return p.carryOut(c, key, sharing.Command{Action: sharing.Move, Organisation: *in.Organisation})
}
