package people

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/invitation"
	"widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/store"
)

// Minted is what a command needs that sends a mail; see Service.Prepare.
type Minted = invitation.Minted

// Config is what a Service needs; everything must be given.
type Config struct {
	Store store.Store
	Mail  *mail.Office
	// Events hears of each change once it is durable.
	Events content.Events
	Now    func() time.Time
	// Random is cryptographically secure and safe for concurrent use.
	Random io.Reader
	// Base is the public base URL, without a slash at its end.
	Base string
}

// Service invites and lets in. It is safe for concurrent use.
type Service struct {
	cfg   Config
	maker invitation.Maker
}

// New makes a Service.
func New(cfg Config) *Service {
	return &Service{cfg: cfg, maker: invitation.Maker{Mail: cfg.Mail, Now: cfg.Now, Random: cfg.Random, Base: cfg.Base}}
}

// Prepare makes what a command needs before the transaction in which it is applied. Where the command will be refused it may
// return the zero Minted: Apply says why.
func (s *Service) Prepare(ctx context.Context, p access.Principal, c sharing.Command) (Minted, error) {
	if c.Action != sharing.Invite && c.Action != sharing.Resend {
		return Minted{}, nil
	}
	l := mail.Invite{To: c.Email, As: RoleInWords(c.Role), Message: c.Message}
	err := s.cfg.Store.View(ctx, func(tx store.Tx) error {
		g, err := access.Open(tx, p, c.Board, access.Share)
		if err != nil {
			return err
		}
		if c.Action == sharing.Resend {
			inv, _, err := tx.Invitations().Get(c.Invitation)
			if err != nil {
				return fmt.Errorf("read an invitation: %w", err)
			}
			if inv.Board != c.Board {
				l.To = ""
				return nil
			}
			l.To, l.As, l.Message = inv.Email, RoleInWords(inv.Role), inv.Message
		}
		if l.By, err = nameOf(tx, p.AccountID()); err != nil {
			return err
		}
		l.What, err = titleOf(tx, g)
		return err
	})
	if k := fault.KindOf(err); k == fault.NotFound || k == fault.Denied {
		return Minted{}, nil
	}
	if err != nil {
		return Minted{}, fmt.Errorf("prepare an invitation: %w", err)
	}
	if email, f := sharing.NormaliseEmail(l.To); f != nil || email != l.To || sharing.CheckMessage(l.Message) != nil {
		return Minted{}, nil //nolint:nilerr // Apply finds the same, and says so
	}
	return s.maker.Mint(l) //nolint:wrapcheck // says what it was doing
}

// titleOf is what a dashboard is called where it is spoken of.
func titleOf(tx store.Tx, g access.Grant) (string, error) {
	title, err := content.Title(tx, g)
	if title == "" {
		title = "an untitled dashboard"
	}
	return title, err //nolint:wrapcheck // says what it was doing
}

// RoleInWords is what somebody is invited to be, as it stands in a sentence: "invites you as an editor".
func RoleInWords(r sharing.Role) string {
	switch r {
	case sharing.RoleEditor:
		return "as an editor"
	case sharing.RoleOwner:
		return "as an owner"
	case sharing.RoleViewer, sharing.RoleNone:
	}
	return "as a viewer"
}

func nameOf(tx store.Tx, id store.AccountID) (string, error) {
	a, ok, err := tx.Accounts().Get(id)
	if err != nil {
		return "", fmt.Errorf("read an account: %w", err)
	}
	if !ok {
		return "Somebody", nil
	}
	return a.Shown(), nil
}

func (d decision) invite() (same bool, err error) {
	c := d.c
	if err := d.checkForm(); err != nil {
		return false, err
	}
	if err := d.mayJoin(); err != nil {
		return false, err
	}
	all, err := d.tx.Invitations().OfBoard(c.Board)
	if err != nil {
		return false, fmt.Errorf("list invitations: %w", err)
	}
	var replaced []store.Invitation
	pending := 0
	for _, inv := range all {
		if inv.State != store.InvitationOpen {
			continue
		}
		holds, err := holds(d.tx, inv)
		if err != nil {
			return false, err
		}
		switch {
		case inv.Email != c.Email && holds:
			pending++
		case inv.Email != c.Email:
		case !holds || inv.Expires <= d.now:
			replaced = append(replaced, inv)
		case inv.Role == c.Role:
			return true, nil
		default:
			return false, refuse(conflict("email", c.Email+" is invited already, "+RoleInWords(inv.Role)+".", "Withdraw that invitation first."))
		}
	}
	if pending >= sharing.MaxPending {
		return false, refuse(fault.Newf(fault.Conflict, "%d invitations wait for an answer, and there is room for no more.", sharing.MaxPending).
			WithHint("Withdraw some that are not needed any more."))
	}
	if err := d.send(store.Invitation{ID: c.Invitation, Board: c.Board, Email: c.Email, Role: c.Role, Message: c.Message, Created: d.now}); err != nil {
		return false, err
	}
	for _, inv := range replaced {
		if err := invitation.Withdraw(d.tx, inv); err != nil {
			return false, err //nolint:wrapcheck // says what it was doing
		}
	}
	return false, invitation.Forget(d.tx, all, d.now) //nolint:wrapcheck // says what it was doing
}

// checkForm refuses an invitation that no app sends, naming the field.
func (d decision) checkForm() error {
	email, f := sharing.NormaliseEmail(d.c.Email)
	if f == nil && email != d.c.Email {
		f = fault.Field("email", "This e-mail address is not in the form in which it is kept.")
	}
	if f == nil {
		f = sharing.CheckInvitedRole(d.c.Role)
	}
	if f == nil {
		f = sharing.CheckMessage(d.c.Message)
	}
	if _, ok := sharing.ParseInvitationID(string(d.c.Invitation)); f == nil && !ok {
		f = fault.Field("invitation", "An invitation needs an id.")
	}
	if f != nil {
		return refuse(f)
	}
	_, used, err := d.tx.Invitations().Get(d.c.Invitation)
	if err != nil {
		return fmt.Errorf("look up an invitation: %w", err)
	}
	if used {
		return refuse(fault.Field("invitation", "This invitation's id belongs to another one."))
	}
	return nil
}

// mayJoin refuses to invite whoever is there already.
func (d decision) mayJoin() error {
	a, ok, err := d.tx.Accounts().ByEmail(d.c.Email)
	if err != nil {
		return fmt.Errorf("look up an account: %w", err)
	}
	if ok && a.ID == d.by {
		return refuse(conflict("email", "This is your own address.", ""))
	}
	holders, err := access.Holders(d.tx, d.g.Board())
	if err != nil {
		return err //nolint:wrapcheck // says what it was doing
	}
	if ok && slices.ContainsFunc(holders, func(h access.Held) bool { return h.Account == a.ID }) {
		return refuse(conflict("email", d.c.Email+" can open this dashboard already.", "Change the role in the list of people."))
	}
	return room(d.tx, d.g.Board())
}

// room refuses when as many accounts have a role of their own on a dashboard as can.
func room(tx store.Tx, id board.ID) error {
	roles, err := tx.Boards().Roles(id)
	if err != nil {
		return fmt.Errorf("list roles: %w", err)
	}
	if len(roles) >= MaxHolders {
		return refuse(fault.Newf(fault.Conflict, "%d people can open this dashboard, and there is room for no more.", MaxHolders))
	}
	return nil
}

func conflict(field, message, hint string) *fault.Error {
	f := fault.New(fault.Conflict, message)
	f.Field = field
	return f.WithHint(hint)
}

// send sends an invitation in the name of whoever commands it.
func (d decision) send(inv store.Invitation) error {
	f, err := invitation.Send(d.tx, inv, d.by, d.minted, d.now)
	if f != nil {
		return refuse(f)
	}
	d.tellPeople()
	return err //nolint:wrapcheck // says what it was doing
}

func (d decision) tellPeople() {
	id := d.g.Board()
	d.tx.After(func() { d.ev.People([]board.ID{id}) })
}

// mine finds the invitation that a command names, if it is to this dashboard.
func (d decision) mine() (store.Invitation, bool, error) {
	inv, ok, err := d.tx.Invitations().Get(d.c.Invitation)
	if err != nil {
		return inv, false, fmt.Errorf("read an invitation: %w", err)
	}
	return inv, ok && inv.Board == d.g.Board(), nil
}

// resend sends an invitation that waits, with a link that replaces the earlier one (rule I5).
func (d decision) resend() error {
	inv, ok, err := d.mine()
	switch {
	case err != nil:
		return err
	case !ok || inv.State == store.InvitationRevoked:
		return refuse(fault.New(fault.NotFound, "This invitation was withdrawn, so it was not sent again.").WithHint("Invite them anew."))
	case inv.State == store.InvitationAccepted:
		return refuse(fault.New(fault.Conflict, "This invitation was accepted already, so it was not sent again.").WithHint("Look at the list of people."))
	}
	return d.send(inv)
}

// revoke always applies while there is something to revoke (rules I5, V1).
func (d decision) revoke() (same bool, err error) {
	inv, ok, err := d.mine()
	switch {
	case err != nil:
		return false, err
	case !ok || inv.State == store.InvitationRevoked:
		return true, nil
	case inv.State == store.InvitationAccepted:
		return false, refuse(fault.New(fault.Conflict, "This invitation was accepted before it could be revoked.").WithHint("Remove them from the list of people instead."))
	}
	d.tellPeople()
	return false, invitation.Withdraw(d.tx, inv) //nolint:wrapcheck // says what it was doing
}

// holds reports whether an invitation to a dashboard still counts: it does for as long as its sender may share it, so that
// nobody comes back by one that they have sent themselves.
func holds(tx store.Tx, inv store.Invitation) (bool, error) {
	if inv.State != store.InvitationOpen {
		return false, nil
	}
	_, err := access.Open(tx, access.Account(inv.By), inv.Board, access.Share)
	if k := fault.KindOf(err); k == fault.NotFound || k == fault.Denied {
		return false, nil
	}
	return err == nil, err //nolint:wrapcheck // says what it was doing
}
