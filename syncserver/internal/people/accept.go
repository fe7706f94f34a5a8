package people

import (
	"context"
	"fmt"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/invitation"
	"widgets.pro/syncserver/internal/organisation"
	"widgets.pro/syncserver/internal/sharelink"
	"widgets.pro/syncserver/internal/store"
)

// State is how things stand with an invitation, for whoever has its link.
type State string

// The states. Revoked is also one whose sender may not invite any more, or whose dashboard is gone; Replaced one that was
// sent again since, with another link.
const (
	Open     State = "open"
	Expired  State = "expired"
	Revoked  State = "revoked"
	Accepted State = "accepted"
	Replaced State = "replaced"
)

// Opened is what an invitation says (rule I3): By invites to What, as it is called, in the role As, in words. Board is the
// dashboard, "" for an organisation. Of one that is not open only By, Email and State are told.
type Opened struct {
	ID           store.InvitationID
	State        State
	By           string
	What         string
	As           string
	Message      string
	Email        string
	Board        board.ID
	Organisation store.OrganisationID
	Expires      int64 // ms since 1970
}

// Open tells what the invitation says that a token leads to, and changes nothing (rule I3). A token that leads to none gets
// the NotFound fault.
func (s *Service) Open(ctx context.Context, token string) (o Opened, err error) {
	t, ok := sharing.ParseInviteToken(token)
	if !ok {
		return o, noInvitation()
	}
	now := s.cfg.Now().UnixMilli()
	err = s.cfg.Store.View(ctx, func(tx store.Tx) error {
		inv, ok, err := tx.Invitations().ByHash(invitation.Hash(t))
		if err != nil {
			return fmt.Errorf("look up an invitation: %w", err)
		}
		if !ok {
			return noInvitation()
		}
		o, err = say(tx, inv, invitation.Hash(t), now)
		return err
	})
	if err != nil {
		return Opened{}, fmt.Errorf("open an invitation: %w", err)
	}
	return o, nil
}

func noInvitation() *fault.Error {
	return fault.New(fault.NotFound, "This invitation does not work.").WithHint("Open the link from the mail once more, or ask whoever invited you to send it again.")
}

// say is what an invitation says to whoever came with this hash of its token.
func say(tx store.Tx, inv store.Invitation, hash store.Hash, now int64) (o Opened, err error) {
	o = Opened{ID: inv.ID, Email: inv.Email}
	if o.By, err = nameOf(tx, inv.By); err != nil {
		return o, err
	}
	if o.State, err = stateOf(tx, inv, hash, now); err != nil || o.State != Open {
		return o, err
	}
	o.Message, o.Expires = inv.Message, inv.Expires
	if inv.Board == "" {
		rec, _, err := tx.Organisations().Get(inv.Organisation)
		if err != nil {
			return o, fmt.Errorf("read an organisation: %w", err)
		}
		o.What, o.As, o.Organisation = rec.Name, organisation.RoleInWords(inv.MemberRole), inv.Organisation
		return o, nil
	}
	g, err := access.Steward(tx, inv.Board)
	if err != nil {
		return o, err //nolint:wrapcheck // says what it was doing
	}
	o.Board, o.As = inv.Board, RoleInWords(inv.Role)
	o.What, err = titleOf(tx, g)
	return o, err
}

func stateOf(tx store.Tx, inv store.Invitation, hash store.Hash, now int64) (State, error) {
	counts := holds
	if inv.Board == "" {
		counts = organisation.Holds
	}
	valid, err := counts(tx, inv)
	switch {
	case err != nil:
		return Revoked, err
	case inv.State == store.InvitationAccepted:
		return Accepted, nil
	case !valid:
		return Revoked, nil
	case inv.Hash != hash:
		return Replaced, nil
	case inv.Expires <= now:
		return Expired, nil
	}
	return Open, nil
}

// Joined is where an accepted invitation leads: to a dashboard, or to an organisation.
type Joined struct {
	Board        board.ID
	Organisation store.OrganisationID
}

// Accept lets an account in by an invitation's token (rule I4). The role that the account has already is never lowered. To
// accept again what the account has accepted changes nothing. Faults: NotFound for a token that leads nowhere; Denied if
// the invited address is not the account's verified one; Conflict, with what to do, if the invitation is not open.
func (s *Service) Accept(ctx context.Context, account store.AccountID, token string) (j Joined, err error) {
	now := s.cfg.Now()
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		j, err = s.AcceptIn(tx, account, token, now)
		return err
	})
	if err != nil {
		return Joined{}, fmt.Errorf("accept an invitation: %w", err)
	}
	return j, nil
}

// AcceptIn is Accept in a transaction with something else, such as the making of the account, at now.
func (s *Service) AcceptIn(tx store.Tx, account store.AccountID, token string, now time.Time) (Joined, error) {
	t, ok := sharing.ParseInviteToken(token)
	if !ok {
		return Joined{}, noInvitation()
	}
	inv, ok, err := tx.Invitations().ByHash(invitation.Hash(t))
	if err != nil {
		return Joined{}, fmt.Errorf("look up an invitation: %w", err)
	}
	if !ok {
		return Joined{}, noInvitation()
	}
	return s.accept(tx, account, inv, invitation.Hash(t), now)
}

// AcceptWaiting is Accept for somebody who saw the invitation in Waiting: that the address is theirs is proof enough.
func (s *Service) AcceptWaiting(ctx context.Context, account store.AccountID, id store.InvitationID) (j Joined, err error) {
	now := s.cfg.Now()
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		inv, ok, err := tx.Invitations().Get(id)
		if err != nil {
			return fmt.Errorf("look up an invitation: %w", err)
		}
		a, known, err := tx.Accounts().Get(account)
		if err != nil {
			return fmt.Errorf("read an account: %w", err)
		}
		if !ok || !known || a.Verified == 0 || a.Email != inv.Email {
			return noInvitation()
		}
		j, err = s.accept(tx, account, inv, inv.Hash, now)
		return err
	})
	if err != nil {
		return Joined{}, fmt.Errorf("accept an invitation: %w", err)
	}
	return j, nil
}

func (s *Service) accept(tx store.Tx, account store.AccountID, inv store.Invitation, hash store.Hash, now time.Time) (Joined, error) {
	a, ok, err := tx.Accounts().Get(account)
	if err != nil {
		return Joined{}, fmt.Errorf("read an account: %w", err)
	}
	if !ok || a.Verified == 0 || a.Email != inv.Email {
		return Joined{}, fault.New(fault.Denied, "This invitation is for another address.").WithHint("Log in with the account of the address to which it was sent.")
	}
	j := Joined{Board: inv.Board, Organisation: inv.Organisation}
	if inv.State == store.InvitationAccepted && inv.Account == account {
		return j, nil
	}
	st, err := stateOf(tx, inv, hash, now.UnixMilli())
	if err != nil {
		return Joined{}, err
	}
	if st != Open {
		return Joined{}, notOpen(st)
	}
	if inv.Board == "" {
		err = organisation.Join(tx, s.cfg.Events, inv.Organisation, account, inv.MemberRole)
	} else {
		err = s.join(tx, account, inv)
	}
	if err != nil {
		return Joined{}, err
	}
	inv.State, inv.Account = store.InvitationAccepted, account
	if err := tx.Invitations().Put(inv); err != nil {
		return Joined{}, fmt.Errorf("keep an invitation: %w", err)
	}
	return j, nil
}

// notOpen says why an invitation cannot be accepted.
func notOpen(st State) *fault.Error {
	f := fault.New(fault.Conflict, "This invitation was withdrawn.")
	switch st {
	case Expired:
		f.Message = "This invitation has expired."
	case Accepted:
		f.Message = "This invitation was used already."
	case Replaced:
		return fault.New(fault.Conflict, "This invitation was sent again, with another link.").WithHint("Use the latest mail.")
	case Open, Revoked:
	}
	return f.WithHint("Ask whoever invited you to send it again.")
}

// join gives an account the role that it was invited to, if that is more than it has.
func (s *Service) join(tx store.Tx, account store.AccountID, inv store.Invitation) error {
	g, err := access.Steward(tx, inv.Board)
	if err != nil {
		return err //nolint:wrapcheck // says what it was doing
	}
	own, err := tx.Boards().Role(inv.Board, account)
	if err != nil {
		return fmt.Errorf("read a role: %w", err)
	}
	if own == inv.Role || own.CanEdit() {
		tx.After(func() { s.cfg.Events.People([]board.ID{inv.Board}) })
		return nil
	}
	if own == sharing.RoleNone {
		err := room(tx, inv.Board)
		if full, ok := err.(refusal); ok { //nolint:errorlint // made here and not wrapped
			return full.fault
		}
		if err != nil {
			return err
		}
	}
	return sharelink.GiveRole(tx, s.cfg.Events, g, account, inv.Role) //nolint:wrapcheck // says what it was doing
}

// Waiting lists the invitations that wait for an account, to its verified address.
func (s *Service) Waiting(ctx context.Context, account store.AccountID) (out []Opened, err error) {
	now := s.cfg.Now().UnixMilli()
	err = s.cfg.Store.View(ctx, func(tx store.Tx) error {
		out = nil
		a, ok, err := tx.Accounts().Get(account)
		if err != nil || !ok || a.Verified == 0 {
			return err
		}
		all, err := tx.Invitations().OfEmail(a.Email)
		if err != nil {
			return fmt.Errorf("list invitations: %w", err)
		}
		for _, inv := range all {
			o, err := say(tx, inv, inv.Hash, now)
			if err != nil {
				return err
			}
			if o.State == Open {
				out = append(out, o)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the invitations of an account: %w", err)
	}
	return out, nil
}
