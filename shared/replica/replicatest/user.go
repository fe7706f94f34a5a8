package replicatest

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
)

// undoable is an edit that its user can take back, and what the rule says of it.
type undoable struct {
	step   *screen.Step
	fields []undoField
}

type undoField struct {
	register
	before, after json.RawMessage
}

// edit is one action of the user: one or two edits in one transaction.
func (d *device) edit() {
	edits := make([]replica.Edit, 1+d.w.choose(3)/2)
	for i := range edits {
		edits[i] = d.anyEdit()
	}
	u := undoable{step: screen.NewStep(nil, d.view, "", time.UnixMilli(d.w.now), registersAlone(edits))}
	seen := map[register]int{}
	for _, e := range edits {
		r := register{e.Entity, e.Field}
		if e.Kind != replica.OpSet {
			continue
		}
		if i, twice := seen[r]; twice {
			u.fields[i].after = e.Value
			continue
		}
		before, _, _ := d.view.Register(e.Entity, e.Field)
		seen[r] = len(u.fields)
		u.fields = append(u.fields, undoField{r, before, e.Value})
	}
	if d.commit(edits) && len(u.fields) > 0 {
		d.journal = append(d.journal, u)
	}
}

func registersAlone(edits []replica.Edit) []replica.Edit {
	var out []replica.Edit
	for _, e := range edits {
		if e.Kind == replica.OpSet {
			out = append(out, e)
		}
	}
	return out
}

// commit stores edits and shows them; false if they are not shown.
func (d *device) commit(edits []replica.Edit) bool {
	var ops []replica.Op
	saved, running, err := d.update(func(tx *transaction, clock *hlc.Clock) (err error) {
		wall, c := d.clock.wall(d.w.now), clock
		if d.w.cfg.Bug == WallAlone {
			c = &hlc.Clock{Dev: clock.Dev}
		}
		ops, err = d.client(tx).Edit(c, wall, edits)
		clock.Last = max(clock.Last, c.Last)
		return err
	}, func() {})
	bug := d.w.cfg.Bug
	if err != nil && !errors.Is(err, errNoSpace) && !errors.Is(err, errDisk) {
		d.w.must(err)
	}
	if saved || bug == SavedBeforeCommit && len(ops) > 0 || bug == EIOIgnored && errors.Is(err, errDisk) && len(ops) > 0 {
		d.w.model.saved(d, ops)
	}
	if !running {
		return false // also on a disk that fails: the user is told that it is not saved, and sees what was there before
	}
	last := map[register]json.RawMessage{}
	for _, op := range ops {
		d.view.Apply(op)
		last[register{op.Entity, op.Field}] = op.Value
	}
	for _, op := range ops { // of two edits of one register in one action the later one shows
		r := register{op.Entity, op.Field}
		if op.Kind != replica.OpSet {
			continue
		}
		if v, _, _ := d.view.Register(op.Entity, op.Field); !d.w.holds(9, string(v) == string(last[r])) {
			d.w.broken(9, "device %d wrote %s to %v and sees %s", d.machine, last[r], r, v)
		}
	}
	d.check()
	return true
}

// undo takes back the last edit that was made here since the program was started.
func (d *device) undo() {
	n := len(d.journal)
	if n == 0 {
		return
	}
	u := d.journal[n-1]
	d.journal = d.journal[:n-1]
	edits, _ := u.step.Back(nil, d.view, d.dev)
	if d.w.cfg.Bug == UndoOverOthers {
		edits = nil
		for _, f := range u.fields {
			if f.before != nil {
				edits = append(edits, replica.Edit{Kind: replica.OpSet, Entity: f.entity, Field: f.field, Value: f.before})
			}
		}
	}
	type now struct {
		value json.RawMessage
		stamp hlc.Stamp
	}
	was := map[register]now{}
	for _, f := range u.fields {
		v, stamp, _ := d.view.Register(f.entity, f.field)
		was[f.register] = now{v, stamp}
	}
	if len(edits) > 0 && !d.commit(edits) {
		return
	}
	for _, f := range u.fields {
		v, _, _ := d.view.Register(f.entity, f.field)
		want := was[f.register].value
		if was[f.register].stamp.Dev == d.dev && string(want) == string(f.after) && f.before != nil {
			want = f.before
		}
		if f.before == nil && was[f.register].stamp.Dev == d.dev && string(want) == string(f.after) {
			continue // there was nothing: what stands for that is the screen's to know
		}
		if !d.w.holds(22, string(v) == string(want)) {
			d.w.broken(22, "device %d took %s of %v back and sees %s, not %s", d.machine, f.after, f.register, v, want)
		}
	}
}

func (d *device) anyEdit() replica.Edit {
	entity := []string{"board", "w1", "w2", "w3"}[d.w.choose(4)]
	if d.version == newer && d.w.chance(8) {
		return replica.Edit{Kind: opLater, Entity: entity, Field: "future", Value: d.value()}
	}
	if entity == "board" || d.version == older || d.w.choose(5) < 3 {
		return replica.Edit{Kind: replica.OpSet, Entity: entity, Field: []string{"title", "alive"}[d.w.choose(2)], Value: d.value()}
	}
	rows := &replica.RowChange{}
	e := replica.Edit{Kind: replica.OpRows, Entity: entity, Rows: rows}
	have := d.view.Rows(entity)
	switch n := d.w.choose(8); {
	case n == 0:
		rows.Replace, rows.Columns = true, d.value()
	case n < 3 && have != nil && have.Len() > 0:
		k := have.Key(d.w.choose(have.Len()))
		rows.DropTo = &k
		return e
	}
	for range 1 + d.w.choose(3) {
		rows.Rows = append(rows.Rows, d.value())
	}
	return e
}

// value is a value that no other edit has.
func (d *device) value() json.RawMessage {
	d.w.values++
	return json.RawMessage("[" + strconv.Itoa(d.w.values) + "]")
}
