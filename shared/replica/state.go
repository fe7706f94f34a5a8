package replica

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"widgets.pro/shared/hlc"
)

// State is a dashboard's content in memory. It is not safe for concurrent use. Values it hands out must not be changed.
type State struct {
	registers map[string]map[string]register
	rows      map[string]*Rows
	max       hlc.Stamp
}

type register struct {
	Value json.RawMessage `cbor:"1,keyasint"`
	Stamp hlc.Stamp       `cbor:"2,keyasint"`
}

// beats says which of two values a register keeps: the one with the later stamp. Two values with one stamp only come from a
// device whose store was copied; the greater bytes win then, so that all replicas still agree.
func (r register) beats(o register) bool {
	c := r.Stamp.Compare(o.Stamp)
	return c > 0 || c == 0 && bytes.Compare(r.Value, o.Value) > 0
}

// Change tells what merging an operation changed. Won is false if it changed nothing. Appended counts rows that were added
// after all others; Reshaped says that rows changed in another way, so that they must be read anew.
type Change struct {
	Won      bool
	Appended int
	Reshaped bool
}

// NewState returns an empty state.
func NewState() *State {
	return &State{registers: map[string]map[string]register{}, rows: map[string]*Rows{}}
}

// Register returns a register's value and the stamp of the edit that wrote it.
func (s *State) Register(entity, field string) (json.RawMessage, hlc.Stamp, bool) {
	r, ok := s.registers[entity][field]
	return r.Value, r.Stamp, ok
}

// Entities lists, in order, the entities that have a register or rows.
func (s *State) Entities() []string {
	names := slices.Collect(maps.Keys(s.registers))
	for e := range s.rows {
		if _, ok := s.registers[e]; !ok {
			names = append(names, e)
		}
	}
	slices.Sort(names)
	return names
}

// Fields lists, in order, the fields of an entity.
func (s *State) Fields(entity string) []string { return slices.Sorted(maps.Keys(s.registers[entity])) }

// Rows returns an entity's row log, or nil.
func (s *State) Rows(entity string) *Rows { return s.rows[entity] }

// Max is the greatest stamp in the state.
func (s *State) Max() hlc.Stamp { return s.max }

// Apply merges one operation. Operations of unknown kinds change nothing.
func (s *State) Apply(op Op) Change {
	switch op.Kind {
	case OpSet:
		return Change{Won: s.set(op.Entity, op.Field, register{op.Value, op.At()})}
	case OpRows:
		if op.Rows == nil {
			return Change{}
		}
		r, known := s.rows[op.Entity]
		if !known {
			r = &Rows{}
		}
		ch := r.apply(op.At(), op.Rows)
		if ch.Won {
			s.rows[op.Entity], s.max = r, hlc.Max(s.max, op.At())
		}
		return ch
	case OpBury:
		_, registers := s.registers[op.Entity]
		_, rows := s.rows[op.Entity]
		delete(s.registers, op.Entity)
		delete(s.rows, op.Entity)
		return Change{Won: registers || rows, Reshaped: rows}
	}
	return Change{}
}

func (s *State) set(entity, field string, r register) bool {
	fields := s.registers[entity]
	old, ok := fields[field]
	if ok && !r.beats(old) {
		return false
	}
	if fields == nil {
		fields = map[string]register{}
		s.registers[entity] = fields
	}
	fields[field] = r
	s.max = hlc.Max(s.max, r.Stamp)
	return true
}

func (s *State) log(entity string) *Rows {
	r := s.rows[entity]
	if r == nil {
		r = &Rows{}
		s.rows[entity] = r
	}
	return r
}

// Merge joins o into s; o stays as it is.
func (s *State) Merge(o *State) {
	for e, fields := range o.registers {
		for f, r := range fields {
			s.set(e, f, r)
		}
	}
	for e, r := range o.rows {
		s.log(e).merge(r)
	}
	s.max = hlc.Max(s.max, o.max)
}

// Clone returns a copy that shares no map or slice header with s.
func (s *State) Clone() *State {
	c := &State{registers: make(map[string]map[string]register, len(s.registers)), rows: make(map[string]*Rows, len(s.rows)), max: s.max}
	for e, fields := range s.registers {
		c.registers[e] = maps.Clone(fields)
	}
	for e, r := range s.rows {
		c.rows[e] = r.clone()
	}
	return c
}

// Equal reports whether both hold the same values with the same stamps, and the same rows under the same keys.
func (s *State) Equal(o *State) bool {
	same := maps.EqualFunc(s.registers, o.registers, func(a, b map[string]register) bool {
		return maps.EqualFunc(a, b, func(x, y register) bool { return x.Stamp == y.Stamp && bytes.Equal(x.Value, y.Value) })
	})
	return same && maps.EqualFunc(s.rows, o.rows, equalRows)
}

func equalRows(a, b *Rows) bool {
	return a.Stamp == b.Stamp && a.Floor == b.Floor && a.count == b.count && bytes.Equal(a.Columns, b.Columns) &&
		slices.EqualFunc(a.segments, b.segments, func(x, y Segment) bool {
			return x.Stamp == y.Stamp && x.First == y.First && slices.EqualFunc(x.Rows, y.Rows, func(p, q json.RawMessage) bool { return bytes.Equal(p, q) })
		})
}
