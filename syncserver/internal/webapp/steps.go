package webapp

import (
	"fmt"
	"io"
	"sync"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/screen"
	"widgets.pro/syncserver/internal/author"
	"widgets.pro/syncserver/internal/store"
)

// Limits of what can be undone. It is lost when the server restarts, and for those who were silent for longest when there is
// too much of it.
const (
	maxStepbook  = 2_000     // dashboards of accounts
	maxStepBytes = 4 << 20   // of rows that one of them keeps from before, twice: to undo and to redo
	maxAllSteps  = 128 << 20 // of all together
)

// steps are what one account did to one dashboard in this run of the program, and as which device.
type steps struct {
	// write is held while the account changes the dashboard, so that its steps are in the order of its edits.
	write  sync.Mutex
	author *author.Author

	// mu guards the stacks.
	mu         sync.Mutex
	undo, redo screen.Stack

	of stepsOf
	// Under stepbook.mu.
	used  time.Time
	bytes int
}

// labels names what would be undone and redone.
func (p *steps) labels() (undo, redo *string) {
	if p == nil {
		return nil, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.undo.Label(), p.redo.Label()
}

func (p *steps) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.undo.Bytes() + p.redo.Bytes()
}

type stepsOf struct {
	account store.AccountID
	board   board.ID
}

// stepbook holds the steps of all.
type stepbook struct {
	random io.Reader

	mu    sync.Mutex
	all   map[stepsOf]*steps
	bytes int
}

func newStepbook(random io.Reader) *stepbook {
	return &stepbook{random: random, all: map[stepsOf]*steps{}}
}

// have is an account's steps on a dashboard, nil if there are none.
func (b *stepbook) have(account store.AccountID, id board.ID) *steps {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all[stepsOf{account, id}]
}

// get is have for an account that is about to make some.
func (b *stepbook) get(account store.AccountID, id board.ID, now time.Time) (*steps, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	of := stepsOf{account, id}
	p := b.all[of]
	if p == nil {
		a, err := author.New(b.random)
		if err != nil {
			return nil, fmt.Errorf("begin to edit: %w", err)
		}
		p = &steps{of: of, author: a, undo: screen.Stack{Limit: maxStepBytes}, redo: screen.Stack{Limit: maxStepBytes}}
		b.all[of] = p
		b.makeRoom(p)
	}
	p.used = now
	return p, nil
}

// weigh notes how much memory steps take by now, and makes room.
func (b *stepbook) weigh(p *steps) {
	size := p.size()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all[p.of] != p {
		return
	}
	b.bytes += size - p.bytes
	p.bytes = size
	b.makeRoom(p)
}

// makeRoom drops the steps of those who were silent for longest, but not p, where there are too many. The caller holds b.mu.
func (b *stepbook) makeRoom(p *steps) {
	for len(b.all) > 1 && (len(b.all) > maxStepbook || b.bytes > maxAllSteps) {
		var oldest stepsOf
		var found *steps
		for of, o := range b.all {
			if o != p && (found == nil || o.used.Before(found.used)) {
				oldest, found = of, o
			}
		}
		b.bytes -= found.bytes
		delete(b.all, oldest)
	}
}
