package boltstore_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
)

const (
	ann = store.AccountID("acc_01J9ZQ0V9K3N8Y2T6W4X5B7C1A")
	org = store.OrganisationID("org_01J9ZQ0V9K3N8Y2T6W4X5B7C1A")
	dev = 7
)

// live is a link that is on.
func live() store.Link {
	return store.Link{Enabled: true, Token: store.Token("shr_" + strings.Repeat("a", 24)), ShortID: "aaaaaaaaaa", Slug: "sales", Version: 3, Password: true, Expires: 99}
}

// full makes a data file with something in every part, and closes it.
func full(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "server.db")
	s := opener{path}.Open(t)
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		hub, err := replica.InitHub(tx.Replica(id), 5)
		if err != nil {
			return err
		}
		ops := []replica.Op{
			{N: 1, Stamp: hlc.Stamp{T: 100, Dev: dev}, Kind: replica.OpSet, Entity: "e", Field: "f", Value: []byte(`"x"`)},
			{N: 2, Stamp: hlc.Stamp{T: 90, Dev: dev}, Kind: replica.OpSet, Entity: "e", Field: "f", Value: []byte(`"y"`)},
			{N: 3, Stamp: hlc.Stamp{T: 101, Dev: dev}, Kind: replica.OpRows, Entity: "e", Rows: &replica.RowChange{Rows: []json.RawMessage{[]byte("[1]"), []byte("[2]")}}},
		}
		_, _, err = hub.Submit(replica.Submission{Dev: dev, Ops: ops}, replica.Policy{Now: 1, MayEdit: true})
		return errors.Join(err,
			tx.Accounts().Put(store.Account{ID: ann, Email: "ann@example.org", Personal: org}),
			tx.Sessions().Put(store.Session{Hash: store.Hash{1}, Account: ann}),
			tx.Organisations().Put(store.Organisation{ID: org}), tx.Organisations().SetMember(org, ann, store.MemberOwner),
			tx.Boards().Put(store.Board{ID: id, Organisation: org, Owner: ann, Epoch: 4}), tx.Boards().SetRole(id, ann, sharing.RoleOwner),
			tx.Links().Put(id, live()), tx.Links().SetHash(id, "$hash"), tx.Views().Put(id, store.ViewCount{Last: 1, Day: 1, Days: []uint32{1}}),
			tx.Guard().SetKey([]byte("key")), tx.Guard().SetBudget([]byte("k"), 9, 1), tx.Commands().Put(ann, "cmd_1", store.Answer{Board: id}),
			tx.Outbox().Put(store.Mail{ID: "mail_1", Next: 1}), tx.Tickets().Put(store.Ticket{Hash: store.Hash{2}, Expires: 1}),
			tx.Invitations().Put(store.Invitation{ID: "inv_1", Board: id, Email: "bob@example.org", Hash: store.Hash{3}}))
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// in is the bucket of a name, below others where there are more.
func in(tx *bbolt.Tx, names ...string) *bbolt.Bucket {
	b := tx.Bucket([]byte(names[0]))
	for _, n := range names[1:] {
		b = b.Bucket([]byte(n))
	}
	return b
}

// lose deletes the first key of a bucket that begins with a prefix.
func lose(prefix string, names ...string) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		b := in(tx, names...)
		k, _ := b.Cursor().Seek([]byte(prefix))
		if k == nil || !strings.HasPrefix(string(k), prefix) {
			return fmt.Errorf("nothing to lose in %v", names)
		}
		return b.Delete(slices.Clone(k))
	}
}

// spoil writes what nobody can read in the place of the first record.
func spoil(prefix string, names ...string) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		b := in(tx, names...)
		k, _ := b.Cursor().Seek([]byte(prefix))
		if k == nil || !strings.HasPrefix(string(k), prefix) {
			return fmt.Errorf("nothing to spoil in %v", names)
		}
		return b.Put(slices.Clone(k), []byte{0xff})
	}
}

func add(key, value string, names ...string) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error { return in(tx, names...).Put([]byte(key), []byte(value)) }
}

func TestCheckFindsASoundFileSoundAndLeavesItAlone(t *testing.T) {
	t.Parallel()
	path := full(t)
	before := sum(t, path)
	r, err := boltstore.Check(t.Context(), path)
	if err != nil || len(r.Problems) > 0 {
		t.Fatalf("%v, %v", r.Problems, err)
	}
	if r.Accounts != 1 || r.Organisations != 1 || r.Boards != 1 || r.Links != 1 || r.Invitations != 1 || r.Mails != 1 || r.Commands != 1 || r.Format != boltstore.Format {
		t.Errorf("%+v", r)
	}
	if sum(t, path) != before {
		t.Error("the file was changed")
	}
}

// Whatever is lost, misplaced or beyond reading is found, and told in words about what it concerns.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*bbolt.Tx) error
		says  string
	}{
		"account lost":            {lose("", "accounts"), "account"},
		"account unreadable":      {spoil("", "accounts"), "cannot be read"},
		"address lost":            {lose("", "emails"), "not found by its address"},
		"session lost":            {lose("", "sessions"), "session that is not there"},
		"session unlisted":        {lose("", "sessions_of"), "not among those"},
		"organisation lost":       {lose("", "organisations"), "organisation"},
		"owner of one lost":       {lose("", "members"), "has no owner"},
		"membership lost":         {lose("", "member_of"), "do not know each other"},
		"member of no role":       {add(string(org)+"\x00"+string(ann), "king", "members"), "no role that there is"},
		"dashboard lost":          {lose("", "boards"), "which is not there"},
		"dashboard unlisted":      {lose("", "boards_of"), "not among those of an organisation"},
		"dashboard's owner lost":  {lose("", "roles"), "has no owner"},
		"role unlisted":           {lose("", "roles_of"), "do not know each other"},
		"content lost":            {func(tx *bbolt.Tx) error { return in(tx, "replicas").DeleteBucket([]byte(id)) }, "has no content"},
		"content of nobody":       {func(tx *bbolt.Tx) error { _, err := in(tx, "replicas").CreateBucket([]byte("dsh_x")); return err }, "which is not there"},
		"hub unreadable":          {spoil("m", "replicas", string(id)), "cannot be read"},
		"register unreadable":     {spoil("c", "replicas", string(id)), "content cannot be read"},
		"log entry lost":          {lose("l", "replicas", string(id)), "bytes and not"},
		"log entry unreadable":    {spoil("l", "replicas", string(id)), "cannot be read"},
		"log entry misplaced":     {add("l\x00\x00\x00\x00\x00\x00\x00\x09", "\xa0", "replicas", string(id)), "is kept as 9"},
		"rows lost":               {lose("s", "replicas", string(id)), "rows and not"},
		"rows unreadable":         {spoil("s", "replicas", string(id)), "content cannot be read"},
		"device lost":             {lose("n", "replicas", string(id)), "before it was judged"},
		"verdict lost":            {lose("v", "replicas", string(id)), "miscounted"},
		"link lost":               {lose("", "links"), "whose link has another"},
		"link's token lost":       {lose("", "tokens"), "not found by its address"},
		"link's short id lost":    {lose("", "short_ids"), "not found by its address"},
		"link's name lost":        {lose("", "slugs"), "not found by its address"},
		"link's name of nobody":   {lose("", "slugs_of"), "never had it"},
		"link's password lost":    {lose("", "passwords"), "password do not agree"},
		"link's end lost":         {lose("", "expiries"), "would not end"},
		"end of no link":          {add("\x00\x00\x00\x00\x00\x00\x00\x01"+string(id), "", "expiries"), "that has none"},
		"budget never forgotten":  {lose("", "budget_times"), "never be forgotten"},
		"budget lost":             {lose("", "budgets"), "not its own"},
		"ticket never forgotten":  {lose("", "ticket_times"), "never be forgotten"},
		"ticket lost":             {lose("", "tickets"), "ticket is noted"},
		"invitation lost":         {lose("", "invitations"), "listed and not there"},
		"invitation's link lost":  {lose("", "invite_hashes"), "not found by its link"},
		"invitation in no list":   {lose("", "invites_of"), "in no list"},
		"mail never sent":         {lose("", "outbox_times"), "never be sent"},
		"mail lost":               {lose("", "outbox"), "mail is noted"},
		"answer never forgotten":  {lose("", "answer_times"), "never be forgotten"},
		"answer lost":             {lose("", "commands"), "answer is noted"},
		"answered command broken": {spoil("", "commands"), "answer to command"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := full(t)
			change(t, path, c.spoil)
			r, err := boltstore.Check(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(r.Problems, "\n"), c.says) {
				t.Errorf("it says %q", r.Problems)
			}
		})
	}
}

func TestB1_CheckOfWhatIsNoSoundFileIsAFault(t *testing.T) {
	t.Parallel()
	page := int64(os.Getpagesize())
	for name, c := range map[string]struct {
		kind  fault.Kind
		spoil func(t *testing.T, path string) error
	}{
		"nothing": {fault.NotFound, func(_ *testing.T, path string) error { return os.Remove(path) }},
		"text": {fault.Internal, func(_ *testing.T, path string) error {
			return os.WriteFile(path, []byte(strings.Repeat("text ", 10_000)), 0o600)
		}},
		"truncated": {fault.Internal, func(_ *testing.T, path string) error { return os.Truncate(path, 4*page) }},
		"pages overwritten": {fault.Internal, func(t *testing.T, path string) error {
			t.Helper()
			f := open(t, path, os.O_RDWR)
			info, err := f.Stat()
			if err != nil {
				return err
			}
			_, err = f.WriteAt([]byte(strings.Repeat("\xaa", int(info.Size()-2*page))), 2*page)
			return err
		}},
		"in use": {fault.Unavailable, func(t *testing.T, path string) error {
			t.Helper()
			opener{path}.Open(t)
			return nil
		}},
		"newer": {fault.Outdated, func(t *testing.T, path string) error {
			t.Helper()
			change(t, path, func(tx *bbolt.Tx) error { return setFormat(tx, boltstore.Format+1) })
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := full(t)
			if err := c.spoil(t, path); err != nil {
				t.Fatal(err)
			}
			if _, err := boltstore.Check(t.Context(), path); fault.KindOf(err) != c.kind {
				t.Errorf("%v", err)
			}
		})
	}
}

// A page that is lost to the file without being free, as after a torn write, is found though every record can be read.
func TestCheckFindsPagesThatDoNotAgree(t *testing.T) {
	t.Parallel()
	path := full(t)
	f := open(t, path, os.O_RDWR)
	// Which page holds the list of free pages stands in the meta page: count one page fewer in it.
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	raw := make([]byte, info.Size())
	if _, err := f.ReadAt(raw, 0); err != nil {
		t.Fatal(err)
	}
	page := int64(os.Getpagesize())
	for at := 2 * page; at < info.Size(); at += page {
		if flags, count := raw[at+8], raw[at+10]; flags == 0x10 && count > 0 {
			raw[at+10]--
		}
	}
	if _, err := f.WriteAt(raw, 0); err != nil {
		t.Fatal(err)
	}
	r, err := boltstore.Check(t.Context(), path)
	if err != nil || !strings.Contains(strings.Join(r.Problems, "\n"), "pages do not agree") {
		t.Errorf("%q, %v", r.Problems, err)
	}
}

func TestCompactKeepsEverythingAndGivesSpaceBack(t *testing.T) {
	t.Parallel()
	path := full(t)
	s := opener{path}.Open(t)
	for i := range 40 {
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Replica(id).Put([]byte{'z', byte(i)}, make([]byte, 100_000)) }); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 39 {
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Replica(id).Delete([]byte{'z', byte(i)}) }); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := boltstore.Compact(t.Context(), path); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("while it is in use: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	all := content(t, path)
	// What a run that broke off has left is no obstacle.
	if err := os.WriteFile(path+".compact", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	before, after, err := boltstore.Compact(t.Context(), path)
	if err != nil || before < 4_000_000 || after > 300_000 {
		t.Fatalf("%d, then %d bytes, %v", before, after, err)
	}
	if got := content(t, path); !slices.Equal(got, all) {
		t.Errorf("%d records, then %d", len(all), len(got))
	}
	if r, err := boltstore.Check(t.Context(), path); err != nil || len(r.Problems) > 0 {
		t.Errorf("%v, %v", r.Problems, err)
	}
	if left, err := filepath.Glob(path + ".*"); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// content is every key and value of a file, with its buckets.
func content(t *testing.T, path string) (all []string) {
	t.Helper()
	var walk func(prefix string, b *bbolt.Bucket) error
	walk = func(prefix string, b *bbolt.Bucket) error {
		return b.ForEach(func(k, v []byte) error {
			all = append(all, prefix+string(k)+"="+string(v))
			if v == nil {
				return walk(prefix+string(k)+"/", b.Bucket(k))
			}
			return nil
		})
	}
	change(t, path, func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error { return walk(string(name)+"/", b) })
	})
	return all
}

// A server that waits for the file while another file is put in its place gets the other one: what is written to a file
// without a name would be lost.
func TestSI2_AFileThatWasReplacedIsNotWrittenTo(t *testing.T) {
	t.Parallel()
	path, other := full(t), full(t)
	change(t, other, lose("", "views"))
	n := 0
	s, err := boltstore.Open(boltstore.Options{Path: path, OpenFile: func(path string, flag int, mode os.FileMode) (*os.File, error) {
		f, err := os.OpenFile(path, flag, mode)
		if n++; n == 1 { // it is open, and not locked yet
			err = errors.Join(err, boltstore.Replace(other, path))
		}
		return f, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.View(t.Context(), func(tx store.Tx) error {
		if v, err := tx.Views().Get(id); err != nil || v.Last != 0 {
			t.Errorf("the file that was there before is open (%+v, %v)", v, err)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if n != 2 {
		t.Errorf("opened %d times", n)
	}
}
