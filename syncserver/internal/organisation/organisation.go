// Package organisation says what happens to organisations: who is in them as what, what they are called, and when they end
// (rules A1, I6, V1).
//
// Every change is one transaction. One that takes somebody's access away raises the epochs of all the organisation's
// dashboards in it, so that connections that are open ask again. There is always an owner (SI19). The package knows
// neither sockets nor pages: content.Events hears of each change once it is durable. Start reading at Service; member.go
// holds what becomes of dashboards, invite.go inviting.
package organisation

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/invitation"
	"widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/store"
)

// Limits of organisations.
const (
	MaxName       = 80  // characters of a name
	MaxOfAccount  = 50  // organisations of one account, its personal one included
	MaxMembers    = 500 // of one organisation
	idPrefix      = "org_"
	maxNameOctets = MaxName * utf8.UTFMax
)

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

// Service changes organisations in the name of accounts. It is safe for concurrent use. Whoever is no member gets the same
// NotFound fault whether an organisation is there or not; a member who may not do what they ask for gets Denied. Other
// faults: Invalid names the field; Conflict; Busy.
type Service struct {
	cfg   Config
	maker invitation.Maker
}

// New makes a Service.
func New(cfg Config) *Service {
	return &Service{cfg: cfg, maker: invitation.Maker{Mail: cfg.Mail, Now: cfg.Now, Random: cfg.Random, Base: cfg.Base}}
}

// ParseID accepts the form of an organisation's id.
func ParseID(s string) (store.OrganisationID, bool) {
	rest, ok := strings.CutPrefix(s, idPrefix)
	if !ok {
		return "", false
	}
	u, err := ulid.ParseStrict(rest)
	return store.OrganisationID(s), err == nil && u.String() == rest
}

// CheckName brings a name into the form in which it is kept. It fails with an Invalid fault for the field "name".
func CheckName(name string) (string, *fault.Error) {
	if len(name) > 2*maxNameOctets {
		return "", tooLong()
	}
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return "", fault.Field("name", "An organisation needs a name.")
	case utf8.RuneCountInString(name) > MaxName:
		return "", tooLong()
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }):
		return "", fault.Field("name", "A name is one line of plain text.")
	}
	return name, nil
}

func tooLong() *fault.Error {
	return fault.Field("name", fmt.Sprintf("A name has at most %d characters.", MaxName))
}

// NotThere is the fault for whoever is no member of an organisation, whether it is there or not.
func NotThere() *fault.Error {
	return fault.New(fault.NotFound, "There is no such organisation, or you are not a member of it.")
}

// Create makes an organisation of which the account is the owner.
func (s *Service) Create(ctx context.Context, by store.AccountID, name string) (store.Organisation, error) {
	name, f := CheckName(name)
	if f != nil {
		return store.Organisation{}, f
	}
	now := s.cfg.Now()
	u, err := ulid.New(ulid.Timestamp(now), s.cfg.Random)
	if err != nil {
		return store.Organisation{}, fmt.Errorf("make an id: %w", err)
	}
	o := store.Organisation{ID: store.OrganisationID(idPrefix + u.String()), Name: name, Created: now.UnixMilli()}
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if err := roomForOne(tx, by); err != nil {
			return err
		}
		if err := tx.Organisations().Put(o); err != nil {
			return err
		}
		tx.After(func() { s.cfg.Events.List([]store.AccountID{by}) })
		return tx.Organisations().SetMember(o.ID, by, store.MemberOwner)
	})
	if err != nil {
		return store.Organisation{}, fmt.Errorf("make an organisation: %w", err)
	}
	return o, nil
}

// roomForOne refuses when the account is in as many organisations as it may be.
func roomForOne(tx store.Tx, account store.AccountID) error {
	have, err := tx.Organisations().Of(account)
	if err != nil {
		return fmt.Errorf("list organisations: %w", err)
	}
	if len(have) >= MaxOfAccount {
		return fault.Newf(fault.Conflict, "An account is in at most %d organisations.", MaxOfAccount).WithHint("Leave one that you do not need any more.")
	}
	return nil
}

// Rename gives an organisation another name. Owners and admins may.
func (s *Service) Rename(ctx context.Context, by store.AccountID, id store.OrganisationID, name string) error {
	name, f := CheckName(name)
	if f != nil {
		return f
	}
	return s.update(ctx, "rename an organisation", by, id, store.MemberAdmin, func(tx store.Tx, o store.Organisation, _ store.MemberRole) error {
		if o.Name == name {
			return nil
		}
		o.Name = name
		if err := tx.Organisations().Put(o); err != nil {
			return err
		}
		return s.tellAll(tx, id)
	})
}

// Delete ends an organisation that has no dashboards any more. Its owners may.
func (s *Service) Delete(ctx context.Context, by store.AccountID, id store.OrganisationID) error {
	return s.update(ctx, "delete an organisation", by, id, store.MemberOwner, func(tx store.Tx, o store.Organisation, _ store.MemberRole) error {
		if o.Personal {
			return fault.New(fault.Conflict, "Your personal organisation ends with your account.")
		}
		boards, err := tx.Boards().OfOrganisation(id)
		if err != nil {
			return fmt.Errorf("list dashboards: %w", err)
		}
		if len(boards) > 0 {
			return fault.Newf(fault.Conflict, "This organisation has dashboards still: %d.", len(boards)).
				WithHint("Move them to another organisation, or delete them for good, first.")
		}
		invited, err := tx.Invitations().OfOrganisation(id)
		if err != nil {
			return fmt.Errorf("list invitations: %w", err)
		}
		for _, inv := range invited {
			if inv.State == store.InvitationOpen {
				if err := invitation.Withdraw(tx, inv); err != nil {
					return err //nolint:wrapcheck // says what it was doing
				}
			}
		}
		if err := s.tellAll(tx, id); err != nil {
			return err
		}
		return tx.Organisations().Delete(id)
	})
}

// update runs do in a transaction if by is at least need in the organisation.
func (s *Service) update(ctx context.Context, doing string, by store.AccountID, id store.OrganisationID, need store.MemberRole,
	do func(tx store.Tx, o store.Organisation, mine store.MemberRole) error,
) error {
	err := s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		o, mine, err := open(tx, by, id)
		if err != nil {
			return err
		}
		if !atLeast(mine, need) {
			return denied(need)
		}
		return do(tx, o, mine)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// open finds an organisation for one of its members.
func open(tx store.Tx, by store.AccountID, id store.OrganisationID) (store.Organisation, store.MemberRole, error) {
	o, ok, err := tx.Organisations().Get(id)
	if err != nil {
		return o, "", fmt.Errorf("read an organisation: %w", err)
	}
	mine, err := tx.Organisations().Member(id, by)
	if err != nil {
		return o, "", fmt.Errorf("read a membership: %w", err)
	}
	if !ok || mine == store.MemberNone {
		return o, "", NotThere()
	}
	return o, mine, nil
}

func rank(r store.MemberRole) int {
	switch r {
	case store.MemberOwner:
		return 3
	case store.MemberAdmin:
		return 2
	case store.MemberMember:
		return 1
	case store.MemberNone:
	}
	return 0
}

func atLeast(have, need store.MemberRole) bool { return rank(have) >= rank(need) }

func denied(need store.MemberRole) *fault.Error {
	if need == store.MemberOwner {
		return fault.New(fault.Denied, "Only an owner of the organisation can do that.")
	}
	return fault.New(fault.Denied, "Only owners and admins of the organisation can do that.")
}

// tellAll has every member told anew of their organisations, and everybody on its dashboards of who is there.
func (s *Service) tellAll(tx store.Tx, id store.OrganisationID) error {
	members, err := tx.Organisations().Members(id)
	if err != nil {
		return fmt.Errorf("list members: %w", err)
	}
	accounts := make([]store.AccountID, len(members))
	for i, m := range members {
		accounts[i] = m.Account
	}
	boards, err := tx.Boards().OfOrganisation(id)
	if err != nil {
		return fmt.Errorf("list dashboards: %w", err)
	}
	tell(tx, s.cfg.Events, accounts, boards)
	return nil
}

func tell(tx store.Tx, ev content.Events, accounts []store.AccountID, boards []board.ID) {
	tx.After(func() {
		ev.List(accounts)
		ev.People(boards)
	})
}
