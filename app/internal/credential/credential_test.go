package credential_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"

	"widgets.pro/app/internal/credential"
)

const key, token = "https://example.org acc_1", "ses_secret"

func open(t *testing.T, path string, keychain bool) (*credential.Store, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	return credential.New(path, keychain, slog.New(slog.NewTextHandler(&log, nil))), &log
}

func want(t *testing.T, s *credential.Store, key, token string) {
	t.Helper()
	got, err := s.Load(key)
	if err != nil || got != token {
		t.Errorf("load %s: %q, %v; want %q", key, got, err, token)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTokensLieInTheKeychain(t *testing.T) {
	keyring.MockInit()
	path := filepath.Join(t.TempDir(), "credentials.json")
	s, _ := open(t, path, true)
	want(t, s, key, "")
	must(t, s.Store(key, token))
	want(t, s, key, token)
	want(t, s, "other", "")
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a file was written: %v", err)
	}
	must(t, s.Store(key, "ses_second"))
	want(t, s, key, "ses_second")
	must(t, s.Delete(key))
	want(t, s, key, "")
	must(t, s.Delete(key))
}

func TestWithoutAKeychainTokensLieInAFileOfOnesOwn(t *testing.T) {
	for _, keychain := range []bool{true, false} {
		keyring.MockInitWithError(errors.New("no bus"))
		path := filepath.Join(t.TempDir(), "new", "credentials.json")
		s, log := open(t, path, keychain)
		want(t, s, key, "")
		must(t, s.Store(key, token))
		must(t, s.Store("other", "ses_other"))
		info, err := os.Stat(path)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("mode %o", info.Mode().Perm())
		}
		again, _ := open(t, path, keychain)
		want(t, again, key, token)
		want(t, again, "other", "ses_other")
		must(t, again.Delete(key))
		want(t, s, key, "")
		want(t, s, "other", "ses_other")
		must(t, again.Delete("other"))
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("the empty file stays: %v", err)
		}
		if strings.Contains(log.String(), "ses_") {
			t.Errorf("token in the log: %s", log)
		}
	}
}

func TestATokenMovesFromTheFileToTheKeychain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials.json")
	s, _ := open(t, path, true)
	keyring.MockInitWithError(errors.New("locked"))
	must(t, s.Store(key, "ses_old"))
	keyring.MockInit()
	want(t, s, key, "ses_old")
	must(t, s.Store(key, token))
	want(t, s, key, token)
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the old token stays in the file: %v", err)
	}
}

func TestB1_AFileThatIsNotOursIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials.json")
	for _, content := range []string{"not ours", "null", "[1]", "{\"a\":1}", strings.Repeat(" ", 2<<20)} {
		must(t, os.WriteFile(path, []byte(content), 0o600))
		s, _ := open(t, path, false)
		if _, err := s.Load(key); err == nil {
			t.Errorf("%.20q is read", content)
		}
		if err := s.Store(key, token); err == nil {
			t.Errorf("%.20q is overwritten", content)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != content {
			t.Errorf("the file is now %q, %v", b, err)
		}
	}
}

func TestAFileOpenToOthersIsProtected(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials.json")
	must(t, os.WriteFile(path, []byte(`{"a":"b"}`), 0o644))
	must(t, os.Chmod(path, 0o644))
	s, _ := open(t, path, false)
	want(t, s, "a", "b")
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %o", info.Mode().Perm())
	}
}
