package boltstore

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"syscall"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/store"
)

// queueLength is how many updates wait at most, and so how many share one fsync. When it is full, Update blocks until
// there is room or its context ends.
const queueLength = 512

// request is one Update on its way through the committer.
type request struct {
	fn    func(store.Tx) error
	after []func()
	err   error
	done  chan struct{}
	// before is what came of its rehearsal, nil if there was none.
	before *rehearsal
}

// errRerun makes bbolt roll back when a closure that had written something failed; errUnchanged when none has written,
// since an empty commit would cost an fsync too.
var (
	errRerun     = errors.New("run again without the closure that failed")
	errUnchanged = errors.New("nothing was written")
)

// Update queues fn for the committer and waits for its answer. Once queued, fn is run and its fate is reported even if
// ctx ends meanwhile: who has asked for something must learn what became of it.
func (s *Store) Update(ctx context.Context, fn func(store.Tx) error) error {
	r := &request{fn: fn, done: make(chan struct{})}
	select {
	case <-s.closing:
		return closed()
	default:
	}
	select {
	case s.queue <- r:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return closed()
	}
	select {
	case <-r.done:
	case <-s.done:
		// The committer ended; it may or may not have taken r before.
		select {
		case <-r.done:
		default:
			return closed()
		}
	}
	return r.err
}

// commitLoop is the committer. It ends after Close, when the queue is empty.
func (s *Store) commitLoop() {
	defer close(s.done)
	for {
		select {
		case r := <-s.queue:
			s.commit(s.gather(r))
		case <-s.closing:
			select {
			case r := <-s.queue:
				s.commit(s.gather(r))
			default:
				return
			}
		}
	}
}

// gather takes what else is queued, without waiting.
func (s *Store) gather(first *request) []*request {
	batch := []*request{first}
	if s.twice {
		return batch
	}
	for len(batch) < queueLength {
		select {
		case r := <-s.queue:
			batch = append(batch, r)
		default:
			return batch
		}
	}
	return batch
}

// commit runs a batch in one transaction. A closure that fails is answered its own error; if it had written something,
// the others are run again without it. If the commit itself fails, all are answered that, and none is tried again.
func (s *Store) commit(batch []*request) {
	live := batch
	for len(live) > 0 {
		if f := s.broken.Load(); f != nil {
			for _, r := range live {
				r.err = f
			}
			break
		}
		if s.twice {
			s.rehearse(live[0])
		}
		next, err := s.try(live)
		if errors.Is(err, errRerun) {
			live = next
			continue
		}
		if err != nil {
			f := s.commitFault(err)
			for _, r := range next {
				r.err = f
			}
		}
		break
	}
	for _, r := range batch {
		if r.err == nil {
			for _, f := range r.after {
				s.call(f)
			}
		}
		close(r.done)
	}
}

// try runs live in one bbolt transaction and returns those that have not failed by themselves.
func (s *Store) try(live []*request) (good []*request, err error) {
	good = make([]*request, 0, len(live))
	wrote := false
	err = s.db.Update(func(btx *bbolt.Tx) error {
		for i, r := range live {
			tx := &transaction{btx: btx, writable: true}
			r.after = nil
			if r.before != nil {
				tx.effect = newEffect(s.seed)
			}
			r.err = run(r.fn, tx)
			if r.before != nil {
				r.err = s.held(r.before, tx.effect, r.err)
			}
			if r.err == nil {
				r.after = tx.after
				wrote = wrote || tx.wrote
				good = append(good, r)
				continue
			}
			if tx.wrote {
				good = append(good, live[i+1:]...)
				return errRerun
			}
		}
		if !wrote {
			return errUnchanged
		}
		return nil
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	return good, err
}

// run calls a closure; a panic in it becomes its error.
func run(fn func(store.Tx) error, tx *transaction) (err error) {
	defer func() {
		if p := recover(); p != nil {
			tx.wrote = true
			err = fault.From(fmt.Errorf("panic in a transaction: %v\n%s", p, debug.Stack()))
		}
	}()
	return fn(tx)
}

// call makes an after-call; a panic in it must not stop the committer.
func (s *Store) call(f func()) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a call after a commit failed", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	f()
}

// commitFault judges an error of the commit itself. When space ran out nothing was written and later updates may
// succeed. After any other error the state of the file is not certain, so the store stops until it is opened again.
func (s *Store) commitFault(err error) *fault.Error {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, berrors.ErrMaxSizeReached} {
		if errors.Is(err, full) {
			s.log.Error("no space left for the data file", "error", err)
			return fault.New(fault.Unavailable, "The server has no space left to store this.").
				WithHint("Nothing was changed. Its operator has to make room; then try again.").WithCause(err)
		}
	}
	f := fault.New(fault.Unavailable, "The server cannot write its data any more.").
		WithHint("Nothing was changed. Its operator has to look at the disk and start it again.").WithCause(err)
	if !errors.Is(err, berrors.ErrDatabaseNotOpen) {
		s.log.Error("writing the data file failed; no more writes until the server is started again", "error", err)
		s.broken.Store(f)
	}
	return f
}
