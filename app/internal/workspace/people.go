package workspace

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oklog/ulid/v2"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/sharing"
)

// Invite queues an invitation for everybody whose address is in the text, who has neither a role nor an invitation yet
// (I1). It works offline and before there is an account: the invitations then wait on this device. Faults name addresses,
// role or message; after one nothing is queued.
func (w *Workspace) Invite(id board.ID, addresses string, role sharing.Role, message string) (Invited, error) {
	out := Invited{Invited: []string{}, Bad: []string{}, Present: []string{}}
	good, bad, message, err := screen.AskInvite(addresses, role, message)
	if err != nil {
		return out, err //nolint:wrapcheck // a fault of what is asked for
	}
	out.Bad = append(out.Bad, bad...)
	w.write.Lock()
	defer w.write.Unlock()
	d, err := w.open(id)
	if err != nil {
		return out, err
	}
	if err := d.mayShare(true); err != nil {
		return out, err
	}
	present, pending := w.present(d)
	var commands []sharing.Command
	ids := ulid.Monotonic(w.deps.Random, 0) // so that the order of the ids is that of the list
	for _, email := range good {
		if present[email] {
			out.Present = append(out.Present, email)
			continue
		}
		c := sharing.Command{Action: sharing.Invite, Email: email, Role: role, Message: message}
		u, err := ulid.New(ulid.Timestamp(w.deps.Now()), ids)
		if err != nil {
			return out, fmt.Errorf("make an id: %w", err)
		}
		c.Invitation = sharing.NewInvitationID(u)
		if err := w.name(&c, id); err != nil {
			return out, err
		}
		commands = append(commands, c)
		out.Invited = append(out.Invited, email)
	}
	if pending+len(commands) > sharing.MaxPending {
		return out, fault.Field("addresses", fmt.Sprintf("At most %d invitations to a dashboard can wait for an answer.", sharing.MaxPending)).
			WithHint("Revoke some of those that are not answered.")
	}
	if len(commands) == 0 {
		return out, nil
	}
	if err := w.queue(d, commands, nil); err != nil {
		return out, err
	}
	if w.account == nil {
		w.publish(notice(NoticeInfo, id, invitations(len(commands))+" until you sign in.", "The mail is sent once you have an account and a connection."))
	}
	w.wake()
	return out, nil
}

// name gives a command on people its id.
func (w *Workspace) name(c *sharing.Command, id board.ID) error {
	u, err := w.newULID()
	if err != nil {
		return err
	}
	c.ID, c.Board = sharing.NewCommandID(u), id
	return nil
}

// invitations says that n of them wait.
func invitations(n int) string {
	if n == 1 {
		return "1 invitation waits"
	}
	return fmt.Sprintf("%d invitations wait", n)
}

// present are the addresses of those who have a role or an invitation, as it will be once the waiting commands have
// arrived, and how many invitations there will then be.
func (w *Workspace) present(d *dashboard) (emails map[string]bool, pending int) {
	emails = map[string]bool{}
	if w.account != nil {
		if email, f := sharing.NormaliseEmail(w.account.Email); f == nil {
			emails[email] = true
		}
	}
	for _, p := range w.people(d) {
		if p.Waiting == nil || p.Waiting.Action != PersonRemove {
			emails[p.Email] = true
		}
	}
	for _, i := range w.invitations(d) {
		if i.Waiting != nil && *i.Waiting == sharing.Revoke {
			continue
		}
		pending++
		if !i.Expired {
			emails[i.Email] = true
		}
	}
	return emails, pending
}

// leaves reports whether the user asks for nothing but to have no role any more.
func (w *Workspace) leaves(c sharing.Command) bool {
	return c.Action == sharing.SetMemberRole && c.Role == sharing.RoleNone && w.account != nil && c.Account == w.account.ID
}

// ownersOnly reports whether a change is an owner's, and no editor's who may manage sharing (A3).
func ownersOnly(c sharing.Command) bool {
	return c.Action == sharing.SetEditorShare || c.Action == sharing.Move || c.Role == sharing.RoleOwner
}

// peopleCommands are those that bring about what is asked for on top of those that wait already, and those that need not be
// sent any more; none of either if it is so already.
func (w *Workspace) peopleCommands(d *dashboard, asked sharing.Command) (commands []sharing.Command, dropped []localstore.Command, err error) {
	needed := false
	switch asked.Action { //nolint:exhaustive // there are no others on people that Share takes
	case sharing.Resend:
		needed, err = w.resending(d, asked.Invitation)
	case sharing.Revoke:
		needed, dropped, err = w.revoking(d, asked.Invitation)
	case sharing.SetMemberRole:
		needed, err = w.changing(d, asked.Account, asked.Role)
	case sharing.SetEditorShare:
		needed = w.editorsShare(d) != asked.Allow
	case sharing.Move:
		if !slices.ContainsFunc(w.orgs, func(o localstore.Organisation) bool { return o.ID == asked.Organisation }) {
			err = fault.Field("organisation", "You are not a member of this organisation.")
		}
		needed = w.organisation(d) != asked.Organisation
	}
	if err != nil || !needed {
		return nil, dropped, err
	}
	if err := w.name(&asked, d.rec.ID); err != nil {
		return nil, nil, err
	}
	return []sharing.Command{asked}, dropped, nil
}

func (w *Workspace) resending(d *dashboard, id sharing.InvitationID) (bool, error) {
	for _, i := range w.invitations(d) {
		switch {
		case i.ID != id:
		case i.Waiting == nil:
			return true, nil
		case *i.Waiting == sharing.Revoke:
			return false, fault.New(fault.Conflict, "This invitation is being revoked.").WithHint("Invite " + i.Email + " again.")
		default:
			return false, nil // it goes out as soon as there is a connection
		}
	}
	return false, noInvitation()
}

// revoking takes what waits for an invitation out of the queue. A command is needed unless the server cannot have heard of
// the invitation.
func (w *Workspace) revoking(d *dashboard, id sharing.InvitationID) (needed bool, dropped []localstore.Command, err error) {
	known := d.people != nil && slices.ContainsFunc(d.people.Invitations, func(i sharing.Invitation) bool { return i.ID == id })
	needed = known
	for _, q := range w.outbox {
		switch {
		case q.Command.Board != d.rec.ID || q.Command.Invitation != id:
		case q.Command.Action == sharing.Revoke:
			return false, nil, nil
		default:
			needed = needed || q.Sent
			dropped = append(dropped, q)
		}
	}
	if !needed && len(dropped) == 0 {
		return false, nil, noInvitation()
	}
	return needed, dropped, nil
}

func noInvitation() error {
	return fault.New(fault.NotFound, "This invitation is not waiting for an answer any more.").WithHint("It may have been accepted or revoked.")
}

// changing reports whether a command is needed for somebody to have a role.
func (w *Workspace) changing(d *dashboard, account string, role sharing.Role) (bool, error) {
	for _, p := range w.people(d) {
		if p.Account != account {
			continue
		}
		if role == sharing.RoleNone && !p.Own {
			return false, fault.New(fault.Conflict, p.Name+" can open this dashboard as a member of its organisation.").
				WithHint("Move it to another organisation, or remove the person from this one.")
		}
		if p.Waiting != nil {
			return p.Waiting.Role != role, nil // a removal has no role
		}
		return p.Role != role, nil
	}
	return false, fault.New(fault.NotFound, "This person has no access to the dashboard any more.")
}

// people are those who can open a dashboard, as the server told, with the changes that wait. Before it has told, it is the
// user alone. The caller holds w.write or w.mu.
func (w *Workspace) people(d *dashboard) []Person {
	self, home := "", w.account != nil && (d.rec.Home == "" || d.rec.Home == w.account.Key())
	if home {
		self = w.account.ID
	}
	known := permitted(d.people, d.role(), d.manages())
	if known == nil || len(known.Members) == 0 {
		you := Person{Name: "You", Role: d.role(), Own: true, You: true, Account: self}
		if home {
			you.Name, you.Email = w.userName(), w.account.Email
		}
		return []Person{you}
	}
	out := make([]Person, 0, len(known.Members))
	for _, m := range known.Members {
		p := Person{Account: m.Account, Name: m.Name, Email: m.Email, Role: m.Role, Own: m.Own, You: m.Account == self}
		for _, q := range w.outbox {
			if q.Command.Board != d.rec.ID || q.Command.Action != sharing.SetMemberRole || q.Command.Account != m.Account {
				continue
			}
			p.Waiting = &PersonChange{Action: PersonRole, Role: q.Command.Role}
			if q.Command.Role == sharing.RoleNone {
				p.Waiting.Action = PersonRemove
			}
		}
		out = append(out, p)
	}
	return out
}

// userName is the account's name, or its address.
func (w *Workspace) userName() string {
	switch {
	case w.account == nil:
		return "You"
	case w.account.Name != "":
		return w.account.Name
	}
	return w.account.Email
}

// invitations are those that wait for an answer, and those that wait on this device, in the order of their making. The
// caller holds w.write or w.mu.
func (w *Workspace) invitations(d *dashboard) []InvitationView {
	out := []InvitationView{}
	if !d.manages() {
		return out
	}
	now := w.clock()
	if d.people != nil {
		for _, i := range d.people.Invitations {
			out = append(out, InvitationView{
				ID: i.ID, Email: i.Email, Role: i.Role, By: i.By, Invited: i.Invited, Expires: i.Expires, Expired: i.Expires <= now,
				Delivery: i.Delivery, Reason: i.Reason,
			})
		}
	}
	for _, q := range w.outbox {
		if q.Command.Board != d.rec.ID || q.Command.Invitation == "" {
			continue
		}
		action := q.Command.Action
		at := slices.IndexFunc(out, func(i InvitationView) bool { return i.ID == q.Command.Invitation })
		switch {
		case action != sharing.Invite && at >= 0:
			out[at].Waiting = &action
		case action == sharing.Invite && at < 0:
			made := invitedAt(q.Command)
			out = append(out, InvitationView{
				ID: q.Command.Invitation, Email: q.Command.Email, Role: q.Command.Role, By: w.userName(), Invited: made,
				Expires: made + sharing.InvitationLifetime, Delivery: DeliveryWaiting, Waiting: &action,
			})
		}
	}
	return out
}

// invitedAt is when an invitation was made, in milliseconds since 1970: its id says so.
func invitedAt(c sharing.Command) int64 {
	_, text, _ := strings.Cut(string(c.Invitation), "_")
	u, err := ulid.ParseStrict(text)
	if err != nil {
		return 0
	}
	return u.Timestamp().UnixMilli()
}

// editorsShare reports whether editors may manage sharing, once the waiting commands have arrived.
func (w *Workspace) editorsShare(d *dashboard) bool {
	allow := d.people != nil && d.people.EditorsShare
	for _, q := range w.outbox {
		if q.Command.Board == d.rec.ID && q.Command.Action == sharing.SetEditorShare {
			allow = q.Command.Allow
		}
	}
	return allow
}

// organisation is the id of the one that a dashboard will belong to once the waiting commands have arrived, "" before the
// server has told.
func (w *Workspace) organisation(d *dashboard) string {
	id := d.rec.Organisation
	for _, q := range w.outbox {
		if q.Command.Board == d.rec.ID && q.Command.Action == sharing.Move {
			id = q.Command.Organisation
		}
	}
	return id
}

// boardOrganisation is the dashboard's organisation as the server told. Whoever is not a member of it is not told its id.
func (w *Workspace) boardOrganisation(d *dashboard) *BoardOrganisation {
	if d.people == nil || d.people.Organisation == "" || !d.role().CanEdit() {
		return nil
	}
	o := &BoardOrganisation{ID: d.rec.Organisation, Name: d.people.Organisation, Size: d.people.Size, Personal: w.personal(d.rec.Organisation)}
	for _, known := range w.orgs {
		if known.ID == o.ID {
			o.Name = known.Name
		}
	}
	return o
}

// personal reports whether an organisation is the account's personal one.
func (w *Workspace) personal(id string) bool {
	return slices.ContainsFunc(w.orgs, func(o localstore.Organisation) bool { return o.ID == id && o.Personal })
}

// presence is who else looks at a dashboard now.
func (w *Workspace) presence(d *dashboard) []Present {
	out := make([]Present, 0, len(d.presence))
	for _, p := range d.presence {
		if !d.role().CanEdit() {
			break
		}
		if w.account == nil || p.Account != w.account.ID {
			out = append(out, Present(p))
		}
	}
	return out
}
