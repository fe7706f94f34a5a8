package webapp

import (
	"fmt"
	"mime"
	"net/http"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/qr"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/gate"
	"widgets.pro/syncserver/internal/sharelink"
	"widgets.pro/syncserver/internal/store"
)

// share is what the share dialog shows to the holder of a grant: of the link nothing unless they may manage sharing. What is
// wanted is in force, since nothing waits here.
func (s *Service) share(tx store.Tx, d *desk, g access.Grant) (screen.ShareView, error) {
	v := screen.ShareView{
		Waiting: []screen.WaitingCommand{}, Synced: true, People: []screen.Person{}, Invitations: []screen.InvitationView{},
		Presence: []screen.Present{}, CanManage: g.May(access.Share), Mail: s.cfg.Mails,
	}
	link := sharing.Link{}
	if v.CanManage {
		now := s.now()
		stored, err := tx.Links().Get(g.Board())
		if err != nil {
			return v, fmt.Errorf("read the link of %s: %w", g.Board(), err)
		}
		link = sharing.Expire(stored, now)
		count, err := tx.Views().Get(g.Board())
		if err != nil {
			return v, fmt.Errorf("read views of %s: %w", g.Board(), err)
		}
		v.Views, v.Watching, v.Receipt = viewsOf(count), s.cfg.Rooms.Watchers(g.Board()), d.receipt(g.Board())
	}
	v.InForce = screen.NewLinkState(link, s.now())
	v.Wanted = v.InForce
	v.SetURLs(link, s.cfg.Base)
	return v, s.showPeople(tx, d, g, &v)
}

func viewsOf(v store.ViewCount) *screen.Views {
	if len(v.Days) == 0 {
		return &screen.Views{Days: []uint32{}}
	}
	return &screen.Views{Last: v.Last, Day: time.Unix(v.Day*24*60*60, 0).UTC().Format(time.DateOnly), Days: v.Days}
}

// changeShare carries out a change of sharing at once. A password is hashed before, and only its hash goes on (rule P2).
func (s *Service) changeShare(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	var in screen.ShareChange
	if err := decode(w, r, maxSmall, &in); err != nil {
		return nil, err
	}
	p := access.Account(me.Account)
	// Nobody has this server hash passwords for dashboards that are not theirs. Of the actions on people some are for others
	// too; those are decided when they are carried out.
	need := access.Share
	if in.Action.People() {
		need = access.View
	}
	if err := s.view(r.Context(), me, func(tx store.Tx) error {
		_, err := access.Open(tx, p, id, need)
		return err //nolint:wrapcheck // access's fault is the answer
	}); err != nil {
		return nil, fmt.Errorf("share %s: %w", id, err)
	}
	now := s.now()
	asked, err := screen.Ask(in, now, func(password string) (sharing.Hash, error) { return s.hash(r, me, password) })
	if err != nil {
		return nil, err //nolint:wrapcheck // a fault of what is asked for
	}
	if asked.Action.People() {
		asked.Board = id
		if err := s.changePeople(r, me, asked); err != nil {
			return nil, fmt.Errorf("share %s: %w", id, err)
		}
		return done{}, nil
	}
	names, err := screen.NewNames(s.newULID, s.cfg.Random)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it was doing
	}
	err = s.update(r.Context(), me, func(tx store.Tx) error {
		g, err := access.Open(tx, p, id, access.Share)
		if err != nil {
			return err //nolint:wrapcheck // access's fault is the answer
		}
		if err := mayShareMore(tx, g, asked); err != nil {
			return err
		}
		stored, err := tx.Links().Get(id)
		if err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		commands, err := screen.Commands(id, sharing.Expire(stored, now), asked, names, false, now)
		if err != nil {
			return err //nolint:wrapcheck // a fault of what is asked for
		}
		for _, c := range commands {
			out, err := sharelink.Apply(tx, s.cfg.Rooms, p, c, now)
			if err == nil && out.Fault != nil {
				return out.Fault // what was done before it in this transaction is undone with it
			}
			if err != nil {
				return err //nolint:wrapcheck // wrapped below
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("share %s: %w", id, err)
	}
	return done{}, nil
}

// hash hashes the password of a link when it is its turn: that takes 19 MiB and some 20 ms of a core.
func (s *Service) hash(r *http.Request, me account.Identity, password string) (h sharing.Hash, err error) {
	place := s.hashing.Enter(gate.Claim{Key: string(me.Account), Most: maxHashesOfOne})
	if place == nil {
		return "", fault.New(fault.Busy, "Too many passwords are being set at the moment.").WithHint("Try again in a moment.")
	}
	defer place.Leave()
	if failed := place.Work(r.Context(), func() { h, err = s.cfg.Hash(s.cfg.Random, password) }); failed != nil {
		return "", failed //nolint:wrapcheck // the browser has gone
	}
	return h, err
}

// mayShareMore refuses to share what lies in the trash, except where that takes access away.
func mayShareMore(tx store.Tx, g access.Grant, c sharing.Command) error {
	rec, _, err := tx.Boards().Get(g.Board())
	if err != nil {
		return fmt.Errorf("read dashboard %s: %w", g.Board(), err)
	}
	if rec.Trashed && !screen.TakesAway(c) {
		return fault.New(fault.Conflict, "This dashboard is in the trash.").WithHint("Restore it before you share it.")
	}
	return nil
}

// qr answers with the QR code of one of a dashboard's addresses: of=link, short or slug, as format=svg or png.
func (s *Service) qr(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	format, err := qr.FormatOf(r.URL.Query().Get("format"))
	if err != nil {
		return nil, err
	}
	var v screen.ShareView
	var title string
	err = s.view(r.Context(), me, func(tx store.Tx) error {
		g, err := access.Open(tx, access.Account(me.Account), id, access.Share)
		if err != nil {
			return err //nolint:wrapcheck // access's fault is the answer
		}
		if title, err = content.Title(tx, g); err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		link, err := tx.Links().Get(id)
		v.SetURLs(link, s.cfg.Base)
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return nil, fmt.Errorf("draw an address of %s: %w", id, err)
	}
	url, err := v.Address(r.URL.Query().Get("of"))
	if err != nil {
		return nil, err //nolint:wrapcheck // a fault of what is asked for
	}
	image, err := format.Draw(url)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it was doing
	}
	name := map[string]string{"filename": screen.FileName(title, " QR code."+format.Name)}
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", name))
	send(w, format.Type, image)
	return nil, nil //nolint:nilnil // the answer is on its way
}
