package room_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/room"
	"widgets.pro/syncserver/internal/store"
)

const (
	one = board.ID("dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1A")
	two = board.ID("dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1B")
)

func names(s *room.Seat) []string {
	out := []string{}
	for _, p := range s.Present() {
		if p.Editing {
			p.Name += "*"
		}
		out = append(out, p.Name)
	}
	return out
}

// told reports whether a connection has something to tell of who looks at the dashboard.
func told(m *room.Member) bool {
	_, ok := m.Take().Presence[one]
	return ok
}

func TestPresenceIsToldAtMostOnceASecondAndRunsOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rooms := room.New()
		watch := rooms.Enter("acc_ann", store.Hash{})
		seat := watch.Join(one)
		expect := func(when string, news bool, want ...string) {
			t.Helper()
			synctest.Wait()
			if told(watch) != news || !slices.Equal(names(seat), want) {
				t.Errorf("%s: %v", when, names(seat))
			}
		}
		bob, again, cat := rooms.Enter("acc_bob", store.Hash{}), rooms.Enter("acc_bob", store.Hash{}), rooms.Enter("acc_cat", store.Hash{})
		bob.Look(one, "bob", false)
		expect("the first is told at once", true, "bob")
		again.Look(one, "bob", true)
		cat.Look(one, "cat", false)
		expect("the next wait", false, "bob")
		time.Sleep(time.Second)
		expect("and come together", true, "bob*", "cat")
		again.Look(one, "bob", true)
		time.Sleep(2 * time.Second)
		expect("what is said again is no news", false, "bob*", "cat")
		again.Look(two, "bob", true)
		cat.LookAway(two)
		expect("one of two connections goes elsewhere", true, "bob", "cat")
		time.Sleep(50 * time.Second)
		cat.Look(one, "cat", false)
		expect("nothing has happened", false, "bob", "cat")
		time.Sleep(10 * time.Second)
		expect("who does not say it again is over", true, "cat")
		cat.Leave()
		cat.Look(one, "cat", false)
		time.Sleep(time.Second)
		expect("who leaves is gone", true)
		for _, m := range []*room.Member{bob, again, watch} {
			m.Leave()
		}
		time.Sleep(3 * wire.LookEvery * time.Millisecond)
	})
}

// What is told of people is made once for each audience, and not kept from before a change.
func TestPeopleAreEncodedOnce(t *testing.T) {
	t.Parallel()
	rooms := room.New()
	m := rooms.Enter("acc_ann", store.Hash{})
	s := m.Join(one)
	frame, before := s.People(room.Sharers)
	if frame != nil {
		t.Errorf("of nothing there is %s", frame)
	}
	s.KeepPeople(room.Sharers, before, []byte("all"))
	if frame, _ = s.People(room.Sharers); string(frame) != "all" {
		t.Errorf("it was not kept: %s", frame)
	}
	if frame, _ = s.People(room.Editors); frame != nil {
		t.Errorf("editors get %s", frame)
	}
	rooms.People([]board.ID{one, two})
	if _, ok := m.Take().People[one]; !ok {
		t.Error("the change was not told")
	}
	s.KeepPeople(room.Sharers, before, []byte("stale"))
	if frame, _ = s.People(room.Sharers); frame != nil {
		t.Errorf("after a change there is %s", frame)
	}
}
