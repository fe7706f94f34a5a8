package wire_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
)

var update = flag.Bool("update", false, "write testdata anew")

const (
	dsh = "dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1D"
	wgt = "wgt_01J9ZQ0V9K3N8Y2T6W4X5B7C1E"
)

func stamp(t, dev uint64) hlc.Stamp { return hlc.Stamp{T: t, Dev: dev} }

func samples() map[string]wire.Message {
	link := sharing.Link{Enabled: true, Token: "shr_abcdefghijklmnopqrstuvwx", ShortID: "AbCdEfGhI0", Version: 3}
	set := replica.Op{N: 7, Stamp: stamp(0x19a1b2c3d4e5_0001, 0xfedcba9876543210), Kind: replica.OpSet, Entity: wgt, Field: "title", Value: json.RawMessage(`"Sales <b>"`)}
	rows := replica.Op{N: 8, Stamp: stamp(0x19a1b2c3d4e5_0002, 0xfedcba9876543210), Kind: replica.OpRows, Entity: wgt, Rows: &replica.RowChange{
		Replace: true, Columns: json.RawMessage(`[{"name":"day","type":"time"}]`), Rows: []json.RawMessage{json.RawMessage(`[1]`), json.RawMessage(`[null]`)},
	}}
	trim := replica.Op{N: 9, Stamp: stamp(0x19a1b2c3d4e5_0003, 0xfedcba9876543210), Kind: replica.OpRows, Entity: wgt, Rows: &replica.RowChange{DropTo: &replica.RowKey{Stamp: stamp(1, 2), Index: 3}}}
	return map[string]wire.Message{
		"hello":    wire.Hello{Versions: []int{1}, App: "0.1.0", Dev: "fedcba9876543210", Boards: []wire.Cursor{{Board: dsh, Epoch: 1<<64 - 1, Since: 12}, {Board: dsh, New: true}}},
		"sub":      wire.Subscribe{Cursor: wire.Cursor{Board: dsh, Epoch: 5, Since: 1}},
		"ops":      wire.Ops{Board: dsh, Floor: 6, Ops: []replica.Op{set, rows, trim}},
		"cmd":      wire.Command{Command: sharing.Command{ID: "cmd_01J9ZQ0V9K3N8Y2T6W4X5B7C1F", Board: dsh, Action: sharing.Enable, Base: 2, Token: link.Token, ShortID: link.ShortID}},
		"welcome":  wire.Welcome{Version: 1, Time: 1_790_000_000_000, Account: "acc_1", Email: "ann@example.org", Base: "https://example.org"},
		"boards":   wire.Boards{Boards: []wire.Access{{Board: dsh, Role: sharing.RoleOwner, Link: link}}},
		"ack":      wire.Ack{Board: dsh, Ack: replica.Ack{Epoch: 1<<64 - 1, UpTo: 9, Seq: 40, Outcomes: []replica.Outcome{{N: 8, Verdict: replica.Restamped, Stamp: stamp(9, 2)}, {N: 9, Verdict: replica.Rejected, Reason: replica.ReasonForbidden, Detail: "You may only view this dashboard."}}}},
		"delta":    wire.Delta{Board: dsh, Delta: replica.Delta{Epoch: 4, From: 39, To: 40, Entries: []replica.Entry{{Seq: 40, Op: set}}}},
		"snap":     wire.Snapshot{Board: dsh, Snapshot: replica.Snapshot{Epoch: 4, Seq: 40, Page: 1, Last: true, Registers: []replica.Register{{Entity: "board", Field: "title", Value: json.RawMessage(`"A"`), Stamp: stamp(1, 2)}}, Rows: []replica.RowLog{{Entity: wgt, Columns: json.RawMessage(`[]`), Stamp: stamp(1, 2), Floor: replica.RowKey{Stamp: stamp(1, 2)}, Segments: []replica.Segment{{Stamp: stamp(1, 2), First: 1, Rows: []json.RawMessage{json.RawMessage(`[1]`)}}}}}}},
		"share":    wire.Share{Board: dsh, Link: link, Watching: 2, Cut: 3, CutMS: 17},
		"result":   wire.Result{ID: "cmd_01J9ZQ0V9K3N8Y2T6W4X5B7C1F", Board: dsh, Link: link, Fault: fault.New(fault.Conflict, "No.").WithHint("Look again.")},
		"denied":   wire.Denied{Board: dsh, Gone: true, Message: "This dashboard was deleted."},
		"error":    wire.Error{Board: dsh, Fault: fault.Field("ops[0].n", "Edits are numbered one after the other.")},
		"zeroes-1": wire.Boards{},

		"cmd-password": wire.Command{Command: sharing.Command{ID: "cmd_01J9ZQ0V9K3N8Y2T6W4X5B7C1G", Board: dsh, Action: sharing.SetPassword, Base: 3, Hash: "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}},
		"cmd-expiry":   wire.Command{Command: sharing.Command{ID: "cmd_01J9ZQ0V9K3N8Y2T6W4X5B7C1H", Board: dsh, Action: sharing.SetExpiry, Base: 4, Expires: 1_790_000_000_000}},
		"cmd-slug":     wire.Command{Command: sharing.Command{ID: "cmd_01J9ZQ0V9K3N8Y2T6W4X5B7C1J", Board: dsh, Action: sharing.SetSlug, Base: 5, Slug: "team-status"}},
		"cmd-embed":    wire.Command{Command: sharing.Command{ID: "cmd_01J9ZQ0V9K3N8Y2T6W4X5B7C1K", Board: dsh, Action: sharing.SetOrigins, Base: 6, Still: true, Origins: "https://*.example.org https://example.com:8443"}},
		"cmd-invite":   wire.Command{Command: sharing.Command{ID: "cmd_01J9ZQ0V9K3N8Y2T6W4X5B7C1M", Board: dsh, Action: sharing.Invite, Invitation: "inv_01J9ZQ0V9K3N8Y2T6W4X5B7C1N", Email: "bob@example.org", Role: sharing.RoleEditor, Message: "Look."}},
		"cmd-role":     wire.Command{Command: sharing.Command{ID: "cmd_01J9ZQ0V9K3N8Y2T6W4X5B7C1P", Board: dsh, Action: sharing.SetMemberRole, Account: "acc_1", Role: sharing.RoleViewer, Allow: true, Organisation: "org_1"}},
		"look":         wire.Look{Board: dsh, Editing: true},
		"people": wire.People{
			Board: dsh, Members: []sharing.Member{{Account: "acc_1", Name: "Ann", Email: "ann@example.org", Role: sharing.RoleOwner, Own: true}},
			Invitations:  []sharing.Invitation{{ID: "inv_01J9ZQ0V9K3N8Y2T6W4X5B7C1N", Email: "bob@example.org", Role: sharing.RoleEditor, By: "Ann", Invited: 1_790_000_000_000, Expires: 1_790_604_800_000, Delivery: sharing.DeliveryFailed, Reason: "No such mailbox."}},
			EditorsShare: true, Organisation: "Acme", Size: 3,
		},
		"presence": wire.Presence{Board: dsh, People: []wire.Present{{Account: "acc_1", Name: "Ann", Editing: true}}},
		"boards-orgs": wire.Boards{
			Boards:        []wire.Access{{Board: dsh, Role: sharing.RoleEditor, Share: true, Organisation: "org_1", Owner: "Ann", Mine: true}},
			Organisations: []wire.Organisation{{ID: "org_1", Name: "Acme", Role: "admin", Personal: true}},
		},
		"welcome-name": wire.Welcome{Version: 1, Time: 1_790_000_000_000, Account: "acc_1", Email: "ann@example.org", Base: "https://example.org", Name: "Ann", Verified: true, Mail: true},
		"result-same":  wire.Result{ID: "cmd_01J9ZQ0V9K3N8Y2T6W4X5B7C1L", Board: dsh, Link: link, Same: true},
		"share-views": wire.Share{Board: dsh, Link: sharing.Link{
			Enabled: true, Token: link.Token, ShortID: link.ShortID, Version: 7, Password: true, Revision: 2, Expires: 1_790_000_000_000, Expired: true,
			Slug: "team-status", Still: true, Origins: "https://example.com:8443",
		}, Views: &wire.Views{Last: 1_790_000_000_000, Day: "2026-09-21", Days: []uint32{3, 0, 14}}},
	}
}

// TestSI17_GoldenMessages holds each message against its file: what a released version wrote must be read for ever, and a
// change of the spelling is a change of the protocol.
func TestSI17_GoldenMessages(t *testing.T) {
	for name, m := range samples() {
		file := filepath.Join("testdata", name+".json")
		got, err := wire.Encode(m)
		if err != nil {
			t.Fatal(name, err)
		}
		if *update {
			if err := os.WriteFile(file, append(got, '\n'), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, bytes.TrimSpace(want)) {
			t.Errorf("%s is written as\n%s\nnot as\n%s", name, got, want)
		}
		back, err := wire.Decode(want)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(back, m) {
			t.Errorf("%s comes back as\n%+v\nnot\n%+v", name, back, m)
		}
	}
}

func TestB1_BadFramesNameTheField(t *testing.T) {
	for name, c := range map[string]struct {
		frame, field string
		kind         fault.Kind
	}{
		"no JSON":         {`hello`, "", fault.Invalid},
		"array":           {`[]`, "", fault.Invalid},
		"no type":         {`{"v":[1]}`, "t", fault.Invalid},
		"wrong type":      {`{"t":"hello","v":"one"}`, "v", fault.Invalid},
		"hole in numbers": {`{"t":"ops","b":"` + dsh + `","ops":[{"n":1,"s":"1-1"},{"n":3,"s":"2-1"}]}`, "ops[1].n", fault.Invalid},
		"two devices":     {`{"t":"ops","b":"` + dsh + `","ops":[{"n":1,"s":"1-1"},{"n":2,"s":"2-2"}]}`, "ops[1].s", fault.Invalid},
		"no number":       {`{"t":"ops","b":"` + dsh + `","ops":[{"s":"1-1"}]}`, "ops[0].n", fault.Invalid},
		"must understand": {`{"t":"later","must":true}`, "", fault.Outdated},
		"too large":       {`{"t":"` + strings.Repeat("x", wire.MaxFrame) + `"}`, "", fault.TooLarge},
	} {
		m, err := wire.Decode([]byte(c.frame))
		f := fault.From(err)
		if err == nil || f.Kind != c.kind || (c.field != "" && !strings.HasPrefix(f.Field, c.field) && f.Field != "Hello."+c.field) {
			t.Errorf("%s: %v, %+v", name, m, f)
		}
	}
	if m, err := wire.Decode([]byte(`{"t":"later","x":1}`)); err != nil || m.Type() != "later" {
		t.Errorf("an unknown type is not ignored: %v, %v", m, err)
	}
	if _, err := wire.Decode([]byte(`{"t":"welcome","v":1,"newer":{"a":[1]}}`)); err != nil {
		t.Errorf("an unknown field is not ignored: %v", err)
	}
}

func TestNegotiate(t *testing.T) {
	for _, c := range []struct {
		theirs []int
		want   int
		ok     bool
	}{{[]int{1}, 1, true}, {[]int{3, 2, 1}, 1, true}, {[]int{2}, 0, false}, {nil, 0, false}, {[]int{-1, 0}, 0, false}} {
		if v, ok := wire.Negotiate(c.theirs); v != c.want || ok != c.ok {
			t.Errorf("%v: %d, %v", c.theirs, v, ok)
		}
	}
}

func FuzzSI17_Decode(f *testing.F) {
	for _, m := range samples() {
		b, err := wire.Encode(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, err := wire.Decode(frame)
		if err != nil {
			return
		}
		if _, unknown := m.(wire.Unknown); unknown {
			return
		}
		b, err := wire.Encode(m)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := wire.Decode(b)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if b2, err := wire.Encode(again); err != nil || !bytes.Equal(b, b2) {
			t.Fatalf("%s became %s", b, b2)
		}
	})
}
