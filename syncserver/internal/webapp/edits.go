package webapp

import (
	"context"
	"fmt"
	"net/http"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/store"
)

func (s *Service) edits(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Edits []screen.Edit `json:"edits"`
		Label string        `json:"label"`
	}
	if err := decode(w, r, maxEdits, &in); err != nil {
		return nil, err
	}
	return s.edit(r, me, id, in.Edits, in.Label)
}

// edit changes a dashboard's content, all or nothing, and returns when it is on disk. Label names the change in the undo
// menu.
func (s *Service) edit(r *http.Request, me account.Identity, id board.ID, edits []screen.Edit, label string) (screen.Edited, error) {
	return s.write(r, me, id, label, func(l *live) (screen.Planned, error) {
		return screen.Plan(l.editors.View(), edits, s.newWidgetID) //nolint:wrapcheck // a fault of what is asked for
	})
}

// write makes edits that plan finds for a dashboard as it is, as one step that can be undone.
func (s *Service) write(r *http.Request, me account.Identity, id board.ID, label string, plan func(*live) (screen.Planned, error)) (screen.Edited, error) {
	var out screen.Edited
	p, err := s.begin(r.Context(), me, id)
	if err != nil {
		return out, err
	}
	p.write.Lock()
	defer p.write.Unlock()
	l := s.lives.get(id, s.cfg.Now())
	var planned screen.Planned
	var step *screen.Step
	err = s.look(r.Context(), me, l, access.Edit, nil, func(access.Grant) (err error) {
		if !l.editors.View().Alive {
			return trashed()
		}
		if planned, err = plan(l); err != nil {
			return err
		}
		step = screen.NewStep(l.editors, l.state, label, s.cfg.Now(), planned.Edits)
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("prepare edits of %s: %w", id, err)
	}
	if err := s.submit(r, me, id, p, planned.Edits); err != nil {
		return out, err
	}
	out.Added = planned.Added
	err = s.look(r.Context(), me, l, access.View, nil, func(g access.Grant) error {
		step.Done(l.editors)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.undo.Push(step, true)
		p.redo.Clear()
		out.Version = s.relabel(me, l, g)
		return nil
	})
	s.steps.weigh(p)
	if err != nil {
		return out, fmt.Errorf("show edits of %s: %w", id, err)
	}
	return out, nil
}

// relabel makes and tells a version with what can be undone by now: a tab may have fetched the one of the change itself
// before that was noted. The caller holds l.mu.
func (s *Service) relabel(me account.Identity, l *live, g access.Grant) (version int64) {
	l.touch()
	version = l.version(g)
	if d, err := s.desk(me); err == nil {
		d.hub.Publish(screen.Event{Type: screen.EventBoard, ID: l.id, Version: version})
	}
	return version
}

// begin returns the steps of an account on a dashboard that it may edit. Nothing is kept for whoever may not.
func (s *Service) begin(ctx context.Context, me account.Identity, id board.ID) (*steps, error) {
	if s.steps.have(me.Account, id) == nil {
		if err := s.view(ctx, me, func(tx store.Tx) error {
			_, err := access.Open(tx, access.Account(me.Account), id, access.Edit)
			return err //nolint:wrapcheck // access's fault is the answer
		}); err != nil {
			return nil, fmt.Errorf("begin to edit %s: %w", id, err)
		}
	}
	return s.steps.get(me.Account, id, s.cfg.Now())
}

// submit stores edits. The caller holds p.write.
func (s *Service) submit(r *http.Request, me account.Identity, id board.ID, p *steps, edits []replica.Edit) error {
	now := s.now()
	err := s.update(r.Context(), me, func(tx store.Tx) error {
		_, err := p.author.Submit(tx, s.cfg.Rooms, access.Account(me.Account), id, edits, now)
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return fmt.Errorf("store edits of %s: %w", id, err)
	}
	return nil
}

func trashed() error {
	return fault.New(fault.Conflict, "This dashboard is in the trash.").WithHint("Restore it first.")
}

// undo takes back the latest edit that the account made here, except where somebody else wrote later. The fault is Conflict
// where nothing of it can be taken back.
func (s *Service) undo(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	return s.travel(w, r, me, screen.NothingToUndo, func(p *steps) (from, to *screen.Stack) { return &p.undo, &p.redo })
}

// redo does again what undo took back.
func (s *Service) redo(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	return s.travel(w, r, me, screen.NothingToRedo, func(p *steps) (from, to *screen.Stack) { return &p.redo, &p.undo })
}

func (s *Service) travel(w http.ResponseWriter, r *http.Request, me account.Identity, nothing string, stacks func(*steps) (from, to *screen.Stack)) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	if _, err := body(w, r, maxSmall); err != nil {
		return nil, err
	}
	p := s.steps.have(me.Account, id)
	l := s.lives.get(id, s.cfg.Now())
	if p != nil {
		p.write.Lock()
		defer p.write.Unlock()
	}
	var edits []replica.Edit
	var reverse *screen.Step
	var skipped bool
	err = s.look(r.Context(), me, l, access.Edit, nil, func(access.Grant) error {
		if !l.editors.View().Alive {
			return trashed()
		}
		if p == nil {
			return fault.New(fault.Conflict, nothing)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		from, _ := stacks(p)
		last := from.Last()
		if last == nil {
			return fault.New(fault.Conflict, nothing)
		}
		if edits, skipped = last.Back(l.editors, l.state, p.author.Dev()); len(edits) > 0 {
			reverse = last.Reverse(l.editors, l.state, s.cfg.Now(), edits)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("take back a change of %s: %w", id, err)
	}
	if len(edits) > 0 {
		if err := s.submit(r, me, id, p, edits); err != nil {
			return nil, err
		}
	}
	err = s.look(r.Context(), me, l, access.View, nil, func(g access.Grant) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		from, to := stacks(p)
		from.Pop()
		if reverse != nil {
			reverse.Done(l.editors)
			to.Push(reverse, false)
		}
		s.relabel(me, l, g)
		return nil
	})
	s.steps.weigh(p)
	switch {
	case err != nil:
		return nil, fmt.Errorf("show what was taken back of %s: %w", id, err)
	case reverse == nil:
		return nil, fault.New(fault.Conflict, screen.Overwritten)
	case skipped:
		if d, err := s.desk(me); err == nil {
			notice := &screen.Notice{Kind: screen.NoticeInfo, Message: screen.Overwritten, Board: id, History: true}
			d.hub.Publish(screen.Event{Type: screen.EventNotice, Notice: notice})
		}
	}
	return done{}, nil
}
