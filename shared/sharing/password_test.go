package sharing_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"widgets.pro/shared/sharing"
)

func TestP2_HashOfAPassword(t *testing.T) {
	h, err := sharing.HashPassword(rand.Reader, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := json.Marshal(h)
	if s := string(raw); !strings.HasPrefix(s, `"$argon2id$v=19$m=19456,t=2,p=1$`) || strings.Contains(s, "horse") {
		t.Fatalf("made %s", s)
	}
	if !h.Matches("correct horse") || h.Matches("correct horsE") || h.Matches("") {
		t.Error("matches the wrong ones")
	}
	again, err := sharing.HashPassword(rand.Reader, "correct horse")
	if err != nil || again == h {
		t.Error("two hashes of one password are the same")
	}
	if _, err := sharing.HashPassword(bytes.NewReader(nil), "x"); err == nil {
		t.Error("hashed without salt")
	}
	nobody, err := sharing.NoPassword(rand.Reader)
	if err != nil || nobody.Matches("") {
		t.Errorf("%v", err)
	}
	if _, ok := sharing.ParseHash(string(nobody)); !ok {
		t.Error("NoPassword can be told from a hash")
	}
}

func TestP7_ParametersOfHashesAreBounded(t *testing.T) {
	salt, key := strings.Repeat("A", 22), strings.Repeat("A", 43)
	for name, c := range map[string]struct {
		hash string
		ok   bool
	}{
		"ours":            {"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key, true},
		"dearest":         {"$argon2id$v=19$m=65536,t=4,p=1$" + salt + "$" + key, true},
		"too dear":        {"$argon2id$v=19$m=65537,t=2,p=1$" + salt + "$" + key, false},
		"far too dear":    {"$argon2id$v=19$m=4294967295,t=2,p=1$" + salt + "$" + key, false},
		"overflow":        {"$argon2id$v=19$m=4294986752,t=2,p=1$" + salt + "$" + key, false},
		"too many passes": {"$argon2id$v=19$m=19456,t=5,p=1$" + salt + "$" + key, false},
		"too cheap":       {"$argon2id$v=19$m=19455,t=2,p=1$" + salt + "$" + key, false},
		"one pass":        {"$argon2id$v=19$m=19456,t=1,p=1$" + salt + "$" + key, false},
		"many lanes":      {"$argon2id$v=19$m=19456,t=2,p=8$" + salt + "$" + key, false},
		"argon2i":         {"$argon2i$v=19$m=19456,t=2,p=1$" + salt + "$" + key, false},
		"old version":     {"$argon2id$v=16$m=19456,t=2,p=1$" + salt + "$" + key, false},
		"short salt":      {"$argon2id$v=19$m=19456,t=2,p=1$AAAA$" + key, false},
		"long salt":       {"$argon2id$v=19$m=19456,t=2,p=1$" + strings.Repeat("A", 64) + "$" + key, false},
		"short key":       {"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$AAAA", false},
		"sloppy base64":   {"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key[:42] + "B", false},
		"newline":         {"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key + "\n", false},
		"plus sign":       {"$argon2id$v=19$m=+19456,t=2,p=1$" + salt + "$" + key, false},
		"leading zero":    {"$argon2id$v=19$m=019456,t=2,p=1$" + salt + "$" + key, false},
		"more":            {"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key + "$x", false},
		"endless":         {"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + strings.Repeat("A", 1<<20), false},
		"plain":           {"correct horse", false},
		"empty":           {"", false},
	} {
		if _, ok := sharing.ParseHash(c.hash); ok != c.ok {
			t.Errorf("%s: taken %v", name, ok)
		}
	}
}

func TestP2_HashesNeverPrint(t *testing.T) {
	h := someHash("q")
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "hash", h)
	for _, s := range []string{fmt.Sprint(h), fmt.Sprintf("%v %s %#v %+v", h, h, h, sharing.Command{Hash: h}), log.String()} {
		if strings.Contains(s, "qqq") {
			t.Errorf("a hash is printed: %s", s)
		}
	}
}

func FuzzP7_ParseHash(f *testing.F) {
	f.Add(string(someHash("a")[:60]))
	f.Fuzz(func(t *testing.T, s string) {
		if h, ok := sharing.ParseHash(s); ok && (string(h) != s || len(s) > 200) {
			t.Errorf("%q became %q", s, string(h))
		}
	})
}
