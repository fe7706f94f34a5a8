package localstore_test

import (
	"errors"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"go.etcd.io/bbolt"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/sharing"
)

func TestPeopleOrganisationsAndSignUpSurviveReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.db")
	s := open(t, path)
	people := localstore.People{
		Members:      []sharing.Member{{Account: "acc_1", Name: "Ann", Email: "a@b.org", Role: sharing.RoleOwner, Own: true}},
		Invitations:  []sharing.Invitation{{ID: "inv_1", Email: "c@b.org", Role: sharing.RoleViewer, By: "Ann", Invited: 1, Expires: 2, Delivery: sharing.DeliveryFailed, Reason: "No such mailbox."}},
		EditorsShare: true, Organisation: "Acme", Size: 3,
	}
	orgs := []localstore.Organisation{{ID: "org_1", Name: "Ann", Role: "owner", Personal: true}, {ID: "org_2", Name: "Acme", Role: "member"}}
	waits := localstore.SignUp{Server: "https://x", Email: "a@b.org", Mailbox: "https://x/dev/mail", Key: "https://x signup 1"}
	update(t, s, func(tx *localstore.Tx) error {
		all, err := tx.People()
		none, err2 := tx.Organisations()
		_, ok, err3 := tx.SignUp()
		if len(all) != 0 || none != nil || ok {
			t.Errorf("a new file has %v, %v, %v", all, none, ok)
		}
		return errors.Join(err, err2, err3, tx.RemovePeople(dsh), tx.PutBoard(localstore.Board{ID: dsh, Share: true, Organisation: "org_2", Owner: "Ann", Mine: true}),
			tx.PutPeople(dsh, people), tx.SetOrganisations(orgs), tx.SetSignUp(waits))
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	update(t, s, func(tx *localstore.Tx) error {
		all, err := tx.People()
		if err != nil || !reflect.DeepEqual(all[dsh], people) {
			t.Errorf("people %+v, %v", all, err)
		}
		if got, err := tx.Organisations(); err != nil || !reflect.DeepEqual(got, orgs) {
			t.Errorf("organisations %+v, %v", got, err)
		}
		if got, ok, err := tx.SignUp(); err != nil || !ok || got != waits {
			t.Errorf("sign-up %+v, %v, %v", got, ok, err)
		}
		if got, err := tx.Boards(); err != nil || len(got) != 1 || !got[0].Share || !got[0].Mine || got[0].Organisation != "org_2" || got[0].Owner != "Ann" {
			t.Errorf("dashboards %+v, %v", got, err)
		}
		return errors.Join(tx.RemoveBoard(dsh), tx.ClearSignUp())
	})
	err := s.View(func(tx *localstore.Tx) error {
		all, err := tx.People()
		_, ok, err2 := tx.SignUp()
		if len(all) != 0 || ok {
			t.Errorf("left: %v, %v", all, ok)
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A file from before there were people is read as it is.
func TestFilesFromBeforePeopleAreRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.db")
	s := open(t, path)
	edit(t, s, "Shop")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		record, err := cbor.Marshal(map[int]any{1: "Shop", 9: "https://x acc_1", 10: true, 11: "owner"})
		account, err2 := cbor.Marshal(map[int]any{1: "https://x", 2: "acc_1", 3: "a@b.org"})
		command, err3 := cbor.Marshal(map[int]any{1: map[int]any{1: "cmd_1", 2: string(dsh), 3: "disable", 4: 7}, 2: 1})
		return errors.Join(err, err2, err3, tx.Bucket([]byte("boards")).Put([]byte(dsh), record), tx.Bucket([]byte("meta")).Put([]byte("account"), account),
			tx.Bucket([]byte("outbox")).Put([]byte{0, 0, 0, 0, 0, 0, 0, 1}, command))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	err = s.View(func(tx *localstore.Tx) error {
		boards, err := tx.Boards()
		a, ok, err2 := tx.Account()
		out, err3 := tx.Outbox()
		people, err4 := tx.People()
		if len(boards) != 1 || boards[0].Role != sharing.RoleOwner || boards[0].Share || !ok || a.Name != "" || len(out) != 1 || out[0].Sent || len(people) != 0 {
			t.Errorf("%+v, %+v, %+v, %+v", boards, a, out, people)
		}
		return errors.Join(err, err2, err3, err4)
	})
	if err != nil {
		t.Fatal(err)
	}
}
