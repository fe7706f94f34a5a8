// Package author lets the server itself edit dashboards, for accounts that come without a device of their own: by the public
// API or by a browser.
//
// To the replicas the server is one more device. Its operations are numbered and stamped in the transaction that submits
// them, from what the dashboard holds there: after everything that is in it, so that what somebody saw and changed wins over
// what they saw. Nothing of a device is therefore kept in memory but its name. Start reading at Author.Submit.
package author

import (
	"encoding/binary"
	"fmt"
	"io"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/store"
)

// Author is the server as a device, in one run of the program. It is safe for concurrent use.
type Author struct {
	dev uint64
}

// New makes an Author with a name from random.
func New(random io.Reader) (*Author, error) {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return nil, fmt.Errorf("make a device's name: %w", err)
	}
	return &Author{dev: binary.BigEndian.Uint64(b[:])>>1 + 1}, nil
}

// Dev is the device's name, which the stamps of its operations bear.
func (a *Author) Dev() uint64 { return a.dev }

// Submit hands edits of p to a dashboard in, at now in ms since 1970. They are accepted all or none: where one is refused, the
// error is its fault, with the edit's field, and the transaction must not be committed. It returns the operations as they were
// stamped. Whoever may not see the dashboard gets access's NotFound fault, and who may only view it the Denied one.
func (a *Author) Submit(tx store.Tx, ev content.Events, p access.Principal, id board.ID, edits []replica.Edit, now int64) ([]replica.Op, error) {
	g, err := access.Open(tx, p, id, access.Edit)
	if err != nil {
		return nil, err //nolint:wrapcheck // access's fault is the answer
	}
	hub, err := content.Open(tx, g)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it was doing
	}
	done, err := hub.Judged(a.dev)
	if err != nil {
		return nil, fmt.Errorf("read what was judged: %w", err)
	}
	clock := hlc.Clock{Dev: a.dev}
	if clock.Last, err = hub.Latest(); err != nil {
		return nil, fmt.Errorf("read the latest stamp: %w", err)
	}
	ops := make([]replica.Op, len(edits))
	for i, e := range edits {
		ops[i] = replica.Op{N: done + uint64(i) + 1, Stamp: clock.Now(now), Kind: e.Kind, Entity: e.Entity, Field: e.Field, Value: e.Value, Rows: e.Rows}
	}
	ack, err := content.Submit(tx, ev, p, content.Submission{Board: id, Dev: a.dev, Floor: done, Ops: ops, Now: now})
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it was doing
	}
	for _, o := range ack.Outcomes {
		if o.Verdict == replica.Rejected && o.N > done {
			return nil, refused(o, edits[o.N-done-1])
		}
	}
	if ack.UpTo != done+uint64(len(ops)) {
		return nil, fmt.Errorf("of %d edits of %s only those up to %d were judged", len(ops), id, ack.UpTo-done)
	}
	return ops, nil
}

// refused is the fault of an edit that was not accepted.
func refused(o replica.Outcome, e replica.Edit) *fault.Error {
	kind := fault.Invalid
	switch o.Reason {
	case replica.ReasonForbidden:
		kind = fault.Denied
	case replica.ReasonGone:
		kind = fault.NotFound
	case replica.ReasonTooLarge, replica.ReasonQuota:
		kind = fault.TooLarge
	case replica.ReasonInvalid:
	}
	f := fault.New(kind, o.Detail)
	if f.Field = e.Field; e.Kind == replica.OpRows {
		f.Field = "rows"
	}
	return f
}
