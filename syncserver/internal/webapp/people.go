package webapp

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/people"
	"widgets.pro/syncserver/internal/store"
)

// Inviter makes what a command on people needs beforehand; see people.Service.
type Inviter interface {
	Prepare(ctx context.Context, p access.Principal, c sharing.Command) (people.Minted, error)
}

// showPeople fills in who can open a dashboard, as the holder of a grant may know it: to whoever only views, nobody else.
func (s *Service) showPeople(tx store.Tx, d *desk, g access.Grant, v *screen.ShareView) error {
	now := s.now()
	if !g.May(access.Edit) {
		v.People = append(v.People, screen.Person{Account: string(d.me.Account), Name: d.me.Name, Role: g.Role(), You: true})
		return nil
	}
	told, err := people.Tell(tx, g)
	if err != nil {
		return err //nolint:wrapcheck // says what it was doing
	}
	for _, m := range told.Members {
		v.People = append(v.People, screen.Person{
			Account: m.Account, Name: m.Name, Email: m.Email, Role: m.Role, Own: m.Own, You: m.Account == string(d.me.Account),
		})
	}
	for _, i := range told.Invitations {
		v.Invitations = append(v.Invitations, screen.InvitationView{
			ID: i.ID, Email: i.Email, Role: i.Role, By: i.By, Invited: i.Invited, Expires: i.Expires, Expired: i.Expires <= now,
			Delivery: i.Delivery, Reason: i.Reason,
		})
	}
	v.EditorsShare = told.EditorsShare
	v.Presence = d.present(g.Board())
	rec, _, err := tx.Boards().Get(g.Board())
	if err != nil {
		return fmt.Errorf("read dashboard %s: %w", g.Board(), err)
	}
	org, _, err := tx.Organisations().Get(rec.Organisation)
	if err != nil {
		return fmt.Errorf("read an organisation: %w", err)
	}
	member, err := tx.Organisations().Member(rec.Organisation, d.me.Account)
	if err != nil {
		return fmt.Errorf("read a membership: %w", err)
	}
	v.Organisation = &screen.BoardOrganisation{Name: told.Organisation, Size: told.Size, Personal: org.Personal}
	if member != store.MemberNone { // to others its id is nothing that they know
		v.Organisation.ID = string(rec.Organisation)
	}
	return nil
}

// changePeople carries out a change of who can open a dashboard with an account.
func (s *Service) changePeople(r *http.Request, me account.Identity, c sharing.Command) error {
	u, err := s.newULID()
	if err != nil {
		return err
	}
	c.ID = sharing.NewCommandID(u)
	p, now := access.Account(me.Account), s.now()
	minted, err := s.cfg.People.Prepare(r.Context(), p, c)
	if err != nil {
		return err //nolint:wrapcheck // says what it was doing
	}
	return s.update(r.Context(), me, func(tx store.Tx) error {
		g, err := access.Open(tx, p, c.Board, access.View)
		if err != nil {
			return err //nolint:wrapcheck // access's fault is the answer
		}
		if err := mayShareMore(tx, g, c); err != nil {
			return err
		}
		return s.applyPeople(tx, p, c, minted, now)
	})
}

// applyPeople is people.Apply with the command's fault as the error, so that nothing of the transaction is kept.
func (s *Service) applyPeople(tx store.Tx, p access.Principal, c sharing.Command, minted people.Minted, now int64) error {
	out, err := people.Apply(tx, s.cfg.Rooms, p, c, minted, now)
	if err == nil && out.Fault != nil {
		return out.Fault
	}
	return err //nolint:wrapcheck // wrapped by whoever knows what it was for
}

// invite invites everybody whose address is in a text, who has neither a role nor an invitation yet (rule I1): all of them,
// or nobody where the server refuses.
func (s *Service) invite(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Addresses string       `json:"addresses"`
		Role      sharing.Role `json:"role"`
		Message   string       `json:"message"`
	}
	if err := decode(w, r, maxSmall, &in); err != nil {
		return nil, err
	}
	good, bad, message, err := screen.AskInvite(in.Addresses, in.Role, in.Message)
	if err != nil {
		return nil, err //nolint:wrapcheck // a fault of what is asked for
	}
	p, now := access.Account(me.Account), s.now()
	asked := make([]sharing.Command, len(good))
	minted := make([]people.Minted, len(good))
	for i, email := range good {
		u, err := s.newULID()
		if err != nil {
			return nil, err
		}
		asked[i] = sharing.Command{
			ID: sharing.NewCommandID(u), Board: id, Action: sharing.Invite, Invitation: sharing.NewInvitationID(u),
			Email: email, Role: in.Role, Message: message,
		}
		if minted[i], err = s.cfg.People.Prepare(r.Context(), p, asked[i]); err != nil {
			return nil, err //nolint:wrapcheck // says what it was doing
		}
	}
	out := screen.Invited{}
	err = s.update(r.Context(), me, func(tx store.Tx) error {
		out = screen.Invited{Invited: []string{}, Bad: append([]string{}, bad...), Present: []string{}}
		g, err := access.Open(tx, p, id, access.Share)
		if err != nil {
			return err //nolint:wrapcheck // access's fault is the answer
		}
		present, err := presentAddresses(tx, g, me, now)
		if err != nil {
			return err
		}
		for i, c := range asked {
			if slices.Contains(present, c.Email) {
				out.Present = append(out.Present, c.Email)
				continue
			}
			if err := mayShareMore(tx, g, c); err != nil {
				return err
			}
			if err := s.applyPeople(tx, p, c, minted[i], now); err != nil {
				return err
			}
			out.Invited = append(out.Invited, c.Email)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("invite people to %s: %w", id, err)
	}
	return out, nil
}

// presentAddresses are those of who can open a dashboard already or has an invitation that works.
func presentAddresses(tx store.Tx, g access.Grant, me account.Identity, now int64) ([]string, error) {
	told, err := people.Tell(tx, g)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it was doing
	}
	out := []string{me.Email}
	for _, m := range told.Members {
		out = append(out, m.Email)
	}
	for _, i := range told.Invitations {
		if i.Expires > now {
			out = append(out, i.Email)
		}
	}
	return out, nil
}

// lookAt takes in what the browser shows; it says so again and again. A dashboard that its account may not see counts as none: nobody is shown as looking
// at what they cannot see.
func (s *Service) lookAt(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	var in struct {
		Board   string `json:"board"`
		Editing bool   `json:"editing"`
	}
	if err := decode(w, r, maxSmall, &in); err != nil {
		return nil, err
	}
	d, err := s.desk(me)
	if err != nil {
		return nil, err
	}
	if in.Board == "" {
		d.member.Look("", "", false)
		return done{}, nil
	}
	id, err := board.ParseID(in.Board)
	if err != nil {
		return nil, fault.New(fault.NotFound, "There is no such dashboard, or you have no access to it.").WithCause(err)
	}
	err = s.view(r.Context(), me, func(tx store.Tx) error {
		_, err := access.Open(tx, access.Account(me.Account), id, access.View)
		return err //nolint:wrapcheck // access's fault is the answer
	})
	if err != nil {
		return nil, fmt.Errorf("take in who looks at %s: %w", id, err)
	}
	d.member.Look(id, me.Name, in.Editing)
	return done{}, nil
}

// present is who else has a followed dashboard before them.
func (d *desk) present(id board.ID) []screen.Present {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := []screen.Present{}
	st := d.seats[id]
	if st == nil {
		return out
	}
	for _, p := range st.room.Present() {
		if p.Account != string(d.me.Account) {
			out = append(out, screen.Present{Account: p.Account, Name: p.Name, Editing: p.Editing})
		}
	}
	return out
}
