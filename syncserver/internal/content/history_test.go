package content_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/store"
)

const bob = store.AccountID("acc_bob")

func history(t *testing.T, st store.Store, before string) (h screen.History) {
	t.Helper()
	if err := st.View(t.Context(), func(tx store.Tx) error {
		g, err := access.Open(tx, access.Account(ann), dsh, access.Edit)
		if err != nil {
			return err
		}
		h, err = content.History(tx, g, before, "")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return h
}

// People are named as others see them, nobody where the account is gone; widgets as they are called, or were when they were
// removed, or buried.
func TestQ3_HistoryNamesPeopleAndWidgets(t *testing.T) {
	st := newStore(t)
	submit(t, st, set(1, wgt, "kind", `"stat"`), set(2, wgt, "title", `"Revenue"`), set(3, wgt, "alive", "true"))
	update(t, st, func(tx store.Tx) error {
		if err := tx.Accounts().Put(store.Account{ID: bob, Email: "bob@example.org", Name: "Bob B."}); err != nil {
			return err
		}
		if err := tx.Boards().SetRole(dsh, bob, sharing.RoleEditor); err != nil {
			return err
		}
		op := set(1, wgt, "alive", "false")
		op.Stamp.T, op.Stamp.Dev = 9, 2
		_, err := content.Submit(tx, silent{}, access.Account(bob), content.Submission{Board: dsh, Dev: 2, Ops: []replica.Op{op}, Now: 1 << 30})
		return err
	})
	look := func(by string, what ...screen.Item) {
		t.Helper()
		h := history(t, st, "")
		if len(h.Changes) != len(what) || h.Missing != "" || h.Next != "" {
			t.Fatalf("%+v", h)
		}
		for i, c := range h.Changes {
			if it := c.Items[len(c.Items)-1]; it.What != what[i] || it.Title != "Revenue" {
				t.Errorf("%d: %+v", i, c)
			}
		}
		removed, made := h.Changes[len(what)-2], h.Changes[len(what)-1]
		if removed.By != by || removed.Mine || made.By != "ann" || !made.Mine {
			t.Errorf("%+v, %+v", removed, made)
		}
	}
	look("Bob B.", screen.ItemRemoved, screen.ItemAdded)
	update(t, st, func(tx store.Tx) error { return tx.Accounts().Delete(bob) })
	look("", screen.ItemRemoved, screen.ItemAdded)
	update(t, st, func(tx store.Tx) error {
		hub, err := replica.OpenHub(tx.Replica(dsh))
		if err != nil {
			return err
		}
		_, _, err = hub.Bury(wgt, 1<<31)
		return err
	})
	// Both are by nobody that is known: the burial is a change of its own for its time.
	look("", screen.ItemBuried, screen.ItemRemoved, screen.ItemAdded)
}

// What is older than what is kept is not told, which the last page says and no other.
func TestQ3_B1_AHistoryThatBeginsLater(t *testing.T) {
	st := newStore(t)
	const batch = 1000
	var n uint64
	for range (content.LogEntries + 9_000) / batch {
		ops := make([]replica.Op, batch)
		for i := range ops {
			n++
			ops[i] = set(n, board.BoardEntity, "title", fmt.Sprintf("%q", fmt.Sprint("title ", n)))
		}
		update(t, st, func(tx store.Tx) error {
			_, err := content.Submit(tx, silent{}, access.Account(ann), content.Submission{Board: dsh, Dev: 1, Floor: ops[0].N - 1, Ops: ops, Now: 1 << 30})
			return err
		})
	}
	before, pages := "", 0
	for ; ; pages++ {
		h := history(t, st, before)
		if before = h.Next; before == "" {
			if h.Missing != "Older changes are not kept." {
				t.Errorf("the last page: %+v", h)
			}
			break
		}
		if h.Missing != "" || len(h.Changes) == 0 {
			t.Fatalf("page %d: %+v", pages, h)
		}
	}
	if pages < 20 {
		t.Errorf("%d pages", pages)
	}
	err := st.View(t.Context(), func(tx store.Tx) error {
		g, err := access.Open(tx, access.Account(ann), dsh, access.Edit)
		if err != nil {
			return err
		}
		v, rows, err := content.At(tx, g, screen.Position{Seq: n - 10_000})
		if err != nil || !rows || v.Title != fmt.Sprint("title ", n-10_000) {
			return fmt.Errorf("%+v %v: %w", v, rows, err)
		}
		_, _, err = content.At(tx, g, screen.Position{Seq: 5})
		return err
	})
	if f := fault.From(err); f.Kind != fault.NotFound || f.Field != "position" {
		t.Errorf("%v", err)
	}
}

// Nobody but who may edit is told what was there before, whatever grant they hold.
func TestA6_OnlyEditorsAreToldThePast(t *testing.T) {
	st := newStore(t)
	submit(t, st, set(1, "board", "title", `"secret"`), set(2, "board", "title", `"public"`))
	token := sharing.Token("shr_" + strings.Repeat("a", 24))
	update(t, st, func(tx store.Tx) error {
		if err := tx.Accounts().Put(store.Account{ID: bob, Email: "bob@example.org"}); err != nil {
			return err
		}
		if err := tx.Boards().SetRole(dsh, bob, sharing.RoleViewer); err != nil {
			return err
		}
		return tx.Links().Put(dsh, sharing.Link{Enabled: true, Token: token, ShortID: sharing.ShortID(strings.Repeat("a", 10))})
	})
	if err := st.View(t.Context(), func(tx store.Tx) error {
		for _, p := range []access.Principal{access.Account(bob), access.LinkHolder(token)} {
			g, err := access.Open(tx, p, dsh, access.View)
			if err != nil {
				return err
			}
			if h, err := content.History(tx, g, "", ""); fault.KindOf(err) != fault.Denied || h.Changes != nil {
				t.Errorf("%+v, %v", h, err)
			}
			if v, _, err := content.At(tx, g, screen.Position{Seq: 1}); fault.KindOf(err) != fault.Denied || v.Title != "" {
				t.Errorf("%+v, %v", v, err)
			}
		}
		_, err := content.History(tx, access.Grant{}, "", "")
		if fault.KindOf(err) != fault.Denied {
			t.Errorf("a zero grant: %v", err)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// However many ask for the past, few are served at once, and one account has few places.
func TestB1_FewStatesOfThePastAtOnce(t *testing.T) {
	p := content.NewPasts()
	begun, end := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if err := p.InTurn(t.Context(), ann, func() error {
				begun <- struct{}{}
				<-end
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
	<-begun
	<-begun
	wanted := fmt.Errorf("as it was")
	all.Go(func() {
		if err := p.InTurn(t.Context(), bob, func() error { return wanted }); err != wanted { //nolint:errorlint // the very same
			t.Error(err)
		}
	})
	waits := make(chan error, 2) // of ann's there is one place left
	for range 2 {
		all.Go(func() { waits <- p.InTurn(t.Context(), ann, func() error { return nil }) })
	}
	if err := <-waits; fault.KindOf(err) != fault.Busy {
		t.Errorf("%v", err)
	}
	close(end)
	if err := <-waits; err != nil {
		t.Error(err)
	}
	all.Wait()
}
