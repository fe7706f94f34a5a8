package content_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"widgets.pro/shared/board"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
)

const (
	ann = store.AccountID("acc_ann")
	dsh = board.ID("dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1A")
	wgt = "wgt_01J9ZQ0V9K3N8Y2T6W4X5B7C1A"
)

type silent struct{}

func (silent) Content(board.ID, content.Step) {}
func (silent) Access(content.AccessChange)    {}
func (silent) List([]store.AccountID)         {}
func (silent) People([]board.ID)              {}

func newStore(t *testing.T) store.Store {
	t.Helper()
	st, err := boltstore.Open(boltstore.Options{Path: filepath.Join(t.TempDir(), "server.db"), Rehearse: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	update(t, st, func(tx store.Tx) error {
		if err := tx.Accounts().Put(store.Account{ID: ann, Email: "ann@example.org", Personal: "org_ann"}); err != nil {
			return err
		}
		return content.Create(tx, silent{}, ann, []content.NewBoard{{ID: dsh, Epoch: 1}})
	})
	return st
}

func update(t *testing.T, st store.Store, fn func(store.Tx) error) {
	t.Helper()
	if err := st.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func submit(t *testing.T, st store.Store, ops ...replica.Op) (ack replica.Ack) {
	t.Helper()
	update(t, st, func(tx store.Tx) (err error) {
		ack, err = content.Submit(tx, silent{}, access.Account(ann), content.Submission{Board: dsh, Dev: 1, Ops: ops, Now: 1 << 30})
		return err
	})
	return ack
}

func set(n uint64, entity, field, value string) replica.Op {
	return replica.Op{N: n, Stamp: hlc.Stamp{T: n, Dev: 1}, Kind: replica.OpSet, Entity: entity, Field: field, Value: json.RawMessage(value)}
}

// Whoever holds a link reads nothing but what is published.
func TestA6_LinkHoldersGetTheProjection(t *testing.T) {
	st := newStore(t)
	submit(t, st, set(1, wgt, "alive", "true"), set(2, wgt, "kind", `"stat"`), set(3, wgt, "opt.unit", `"kg"`), set(4, wgt, "opt.source", `"https://secret.example/key"`))
	token := sharing.Token("shr_" + strings.Repeat("a", 24))
	update(t, st, func(tx store.Tx) error {
		return tx.Links().Put(dsh, sharing.Link{Enabled: true, Token: token, ShortID: sharing.ShortID(strings.Repeat("a", 10))})
	})
	if err := st.View(t.Context(), func(tx store.Tx) error {
		for p, full := range map[access.Principal]bool{access.Account(ann): true, access.LinkHolder(token): false} {
			g, err := access.Open(tx, p, dsh, access.View)
			if err != nil {
				return err
			}
			v, _, err := content.Load(tx, g)
			if err != nil {
				return err
			}
			raw, err := json.Marshal(v)
			if err != nil {
				return err
			}
			if strings.Contains(string(raw), "secret") != full || !strings.Contains(string(raw), "kg") {
				return fmt.Errorf("full %v: %s", full, raw)
			}
		}
		if _, _, err := content.Load(tx, access.Grant{}); err == nil {
			return fmt.Errorf("a zero grant reads")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// A dashboard that holds too much takes what is small, and what makes room.
func TestB1_FullDashboard(t *testing.T) {
	st := newStore(t)
	cell := `"` + strings.Repeat("x", 4000) + `"`
	row := json.RawMessage(`[` + strings.Repeat(cell+",", 14) + cell + `]`)
	var n uint64
	rows := func(replace bool) replica.Op {
		n++
		rc := &replica.RowChange{Replace: replace, Rows: []json.RawMessage{row}}
		if replace {
			rc.Columns = json.RawMessage(`[` + strings.Repeat(`{"name":"a","type":"text"},`, 14) + `{"name":"a","type":"text"}]`)
		}
		return replica.Op{N: n, Stamp: hlc.Stamp{T: n, Dev: 1}, Kind: replica.OpRows, Entity: wgt, Rows: rc}
	}
	submit(t, st, rows(true))
	refused := replica.Ack{}
	for range 2*content.MaxBytes/len(row) + 20 {
		ops := []replica.Op{rows(false)}
		for range 9 {
			ops = append(ops, rows(false))
		}
		if refused = submit(t, st, ops...); len(refused.Outcomes) > 0 {
			break
		}
	}
	if len(refused.Outcomes) == 0 || refused.Outcomes[0].Reason != replica.ReasonQuota || refused.Outcomes[0].Detail == "" {
		t.Fatalf("there is no limit: %+v", refused)
	}
	floor := n
	accept := func(what string, op replica.Op) {
		t.Helper()
		var ack replica.Ack
		update(t, st, func(tx store.Tx) (err error) {
			ack, err = content.Submit(tx, silent{}, access.Account(ann), content.Submission{Board: dsh, Dev: 1, Floor: floor, Ops: []replica.Op{op}, Now: 1 << 30})
			return err
		})
		if len(ack.Outcomes) != 0 {
			t.Errorf("%s: %+v", what, ack.Outcomes)
		}
	}
	n++
	accept("a title", set(n, board.BoardEntity, "title", `"still works"`))
	accept("a replacement", rows(true))
	accept("rows after it", rows(false))
}

// A widget that was removed long ago goes for good, and edits of it are refused as gone.
func TestSI21_WhatWasRemovedLongAgoIsBuried(t *testing.T) {
	st := newStore(t)
	submit(t, st, set(1, wgt, "alive", "true"), set(2, wgt, "kind", `"stat"`), set(3, wgt, "alive", "false"))
	at := func(now int64, ops ...replica.Op) (ack replica.Ack) {
		update(t, st, func(tx store.Tx) (err error) {
			ack, err = content.Submit(tx, silent{}, access.Account(ann), content.Submission{Board: dsh, Dev: 1, Floor: ops[0].N - 1, Ops: ops, Now: now})
			return err
		})
		return ack
	}
	n := uint64(3)
	thousand := func(now int64) {
		ops := make([]replica.Op, 1_000)
		for i := range ops {
			n++
			ops[i] = set(n, "board", "title", fmt.Sprintf("%q", fmt.Sprint("title ", n)))
		}
		at(now, ops...)
	}
	kept := func() bool {
		found := false
		update(t, st, func(tx store.Tx) error {
			hub, err := replica.OpenHub(tx.Replica(dsh))
			if err != nil {
				return err
			}
			_, found, err = hub.Register(wgt, "kind")
			return err
		})
		return found
	}
	if thousand(content.BuryAfter - 1000); !kept() {
		t.Fatal("it was buried too early")
	}
	if thousand(content.BuryAfter + 1000); kept() {
		t.Fatal("it is still there")
	}
	n++
	if ack := at(content.BuryAfter+1000, set(n, wgt, "title", `"too late"`)); len(ack.Outcomes) != 1 || ack.Outcomes[0].Reason != replica.ReasonGone {
		t.Errorf("%+v", ack)
	}
}
