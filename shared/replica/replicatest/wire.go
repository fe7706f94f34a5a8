package replicatest

import (
	"bytes"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/wire"
)

// dialect is the version that a program speaks, beside the one that this package is built with.
type dialect int

const (
	// today is this build.
	today dialect = iota
	// newer adds members to what it says, sends messages of a type that today does not know, and, on devices, operations
	// of a kind that today does not know.
	newer
	// older is a device that does not know row logs: to it they are an operation of an unknown kind, and a member of
	// snapshots that it passes over.
	older
)

// opLater is a kind of operation that only newer devices know.
const opLater replica.Kind = "later"

// dashboard is the one that everything is about.
const dashboard board.ID = "dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1D"

// unknown is a message of a type that only newer programs know.
var unknown = []byte(`{"t":"later","of":{"a":[1,"}"]}}`) //nolint:gochecknoglobals // a constant

// encode writes a message as a program of the given version does.
func (w *world) encode(m wire.Message, as dialect) []byte {
	b, err := wire.Encode(m)
	w.must(err)
	if as == newer && err == nil {
		// Operations and outcomes are what begins with a number; values of this simulation hold none.
		b = bytes.ReplaceAll(b, []byte(`{"n":`), []byte(`{"since9":[null,{}],"n":`))
		b = append(b[:len(b)-1:len(b)-1], `,"newer":{"t":"ops"}}`...)
	}
	return b
}

// decode reads a frame; ok is false if it makes no sense.
func (w *world) decode(f frame) (m wire.Message, ok bool) {
	m, err := wire.Decode(f.bytes)
	if err != nil {
		return nil, false
	}
	if f.cut {
		w.broken(17, "half a message was taken for a whole one: %s", f.bytes)
	}
	w.checked[17]++
	return m, true
}

// unavailable is what a server answers that cannot write.
func unavailable() wire.Error {
	return wire.Error{Board: dashboard, Fault: fault.New(fault.Unavailable, "Not now.")}
}

// withoutRows is what a device makes of a message that does not know row logs.
func withoutRows(m wire.Message) wire.Message {
	switch m := m.(type) {
	case wire.Delta:
		for i := range m.Entries {
			if op := &m.Entries[i].Op; op.Kind == replica.OpRows {
				op.Kind, op.Rows = "unknown "+op.Kind, nil
			}
		}
		return m
	case wire.Snapshot:
		m.Rows = nil
		return m
	}
	return m
}

// registersOf is a state as a device knows it that does not know row logs.
func registersOf(s *replica.State) *replica.State {
	out := replica.NewState()
	for _, e := range s.Entities() {
		for _, f := range s.Fields(e) {
			v, stamp, _ := s.Register(e, f)
			out.Apply(replica.Op{Kind: replica.OpSet, Entity: e, Field: f, Value: v, Stamp: stamp})
		}
	}
	return out
}
