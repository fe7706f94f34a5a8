package author_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/author"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
)

const (
	ann = store.AccountID("acc_ann")
	eve = store.AccountID("acc_eve")
	dsh = board.ID("dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1A")
	wgt = "wgt_01J9ZQ0V9K3N8Y2T6W4X5B7C1A"
	now = int64(1_800_000_000_000)
)

type silent struct{}

func (silent) Content(board.ID, content.Step) {}
func (silent) Access(content.AccessChange)    {}
func (silent) List([]store.AccountID)         {}
func (silent) People([]board.ID)              {}

type bench struct {
	t      *testing.T
	st     store.Store
	author *author.Author
}

func newBench(t *testing.T) *bench {
	t.Helper()
	st, err := boltstore.Open(boltstore.Options{Path: filepath.Join(t.TempDir(), "server.db"), Rehearse: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	b := &bench{t: t, st: st, author: newAuthor(t)}
	if err := st.Update(t.Context(), func(tx store.Tx) error {
		if err := tx.Accounts().Put(store.Account{ID: ann, Email: "ann@example.org", Personal: "org_ann"}); err != nil {
			return err
		}
		if err := content.Create(tx, silent{}, ann, []content.NewBoard{{ID: dsh, Epoch: 1}}); err != nil {
			return err
		}
		return tx.Boards().SetRole(dsh, eve, sharing.RoleViewer)
	}); err != nil {
		t.Fatal(err)
	}
	return b
}

func newAuthor(t *testing.T) *author.Author {
	t.Helper()
	a, err := author.New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (b *bench) submit(ctx context.Context, who store.AccountID, edits ...replica.Edit) (ops []replica.Op, err error) {
	err = b.st.Update(ctx, func(tx store.Tx) error {
		ops, err = b.author.Submit(tx, silent{}, access.Account(who), dsh, edits, now)
		return err
	})
	return ops, err
}

func (b *bench) state() (s *replica.State) {
	b.t.Helper()
	if err := b.st.View(b.t.Context(), func(tx store.Tx) error {
		hub, err := replica.OpenHub(tx.Replica(dsh))
		if err != nil {
			return err
		}
		s, err = hub.State()
		return err
	}); err != nil {
		b.t.Fatal(err)
	}
	return s
}

func title(s string) replica.Edit {
	v, _ := json.Marshal(s)
	return replica.Edit{Kind: replica.OpSet, Entity: board.BoardEntity, Field: board.FieldTitle, Value: v}
}

func rows(n int) replica.Edit {
	return replica.Edit{Kind: replica.OpRows, Entity: wgt, Rows: &replica.RowChange{Rows: []json.RawMessage{json.RawMessage(fmt.Sprintf("[%d]", n))}}}
}

// An edit wins over what its author saw, even if a device with a clock that is ahead made that.
func TestQ3_TheServersEditIsAfterWhatItsAuthorSaw(t *testing.T) {
	b := newBench(t)
	ahead := hlc.Stamp{T: hlc.At(now + replica.MaxDrift - 1000), Dev: 7}
	if err := b.st.Update(t.Context(), func(tx store.Tx) error {
		ack, err := content.Submit(tx, silent{}, access.Account(ann), content.Submission{Board: dsh, Dev: 7, Now: now, Ops: []replica.Op{
			{N: 1, Stamp: ahead, Kind: replica.OpSet, Entity: board.BoardEntity, Field: board.FieldTitle, Value: json.RawMessage(`"theirs"`)},
		}})
		if len(ack.Outcomes) > 0 {
			t.Errorf("%+v", ack)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	ops, err := b.submit(t.Context(), ann, title("mine"), title("mine again"))
	if err != nil || len(ops) != 2 || !ahead.Less(ops[0].Stamp) || !ops[0].Stamp.Less(ops[1].Stamp) {
		t.Fatalf("%+v, %v", ops, err)
	}
	if v, at, _ := b.state().Register(board.BoardEntity, board.FieldTitle); string(v) != `"mine again"` || at != ops[1].Stamp {
		t.Errorf("%s at %s", v, at)
	}
}

// A refused batch leaves nothing behind, and does not keep the next one from being numbered.
func TestB1_AllOrNothing(t *testing.T) {
	b := newBench(t)
	_, err := b.submit(t.Context(), ann, title("good"), title(strings.Repeat("x", board.MaxTitle+1)))
	if f := fault.From(err); f.Kind != fault.TooLarge || f.Field != board.FieldTitle || f.Message == "" {
		t.Errorf("%v", err)
	}
	if _, err := b.submit(t.Context(), eve, title("a viewer's")); fault.KindOf(err) != fault.Denied {
		t.Errorf("a viewer: %v", err)
	}
	if _, err := b.submit(t.Context(), "acc_nobody", title("a stranger's")); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a stranger: %v", err)
	}
	if _, _, ok := b.state().Register(board.BoardEntity, board.FieldTitle); ok {
		t.Error("something was changed")
	}
	broken := errors.New("broken")
	if err := b.st.Update(t.Context(), func(tx store.Tx) error {
		if _, err := b.author.Submit(tx, silent{}, access.Account(ann), dsh, []replica.Edit{title("lost")}, now); err != nil {
			return err
		}
		return broken
	}); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if ops, err := b.submit(t.Context(), ann, title("good")); err != nil || ops[0].N != 1 {
		t.Errorf("%+v, %v", ops, err)
	}
}

// Many at once, and two runs of the program: every row is there once, in the order in which they were committed.
func TestSI3_SI12_ManyAtOnce(t *testing.T) {
	b := newBench(t)
	const each = 40
	for range 2 {
		b.author = newAuthor(t)
		var wg sync.WaitGroup
		for n := range each {
			wg.Go(func() {
				if _, err := b.submit(t.Context(), ann, rows(n), rows(n)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	seen := map[string]int{}
	for r := range b.state().Rows(wgt).All() {
		seen[string(r)]++
	}
	for n := range each {
		if k := fmt.Sprintf("[%d]", n); seen[k] != 4 {
			t.Errorf("row %s is there %d times", k, seen[k])
		}
	}
}
