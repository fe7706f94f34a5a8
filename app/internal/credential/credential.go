// Package credential keeps session tokens outside the data file: in the operating system's keychain where there is one,
// else in a file that only its owner can read.
//
// The package knows nothing of accounts; a key is any text that names one. Start reading at Store.
package credential

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/zalando/go-keyring"
)

const service = "widgets.pro"

// maxFile bounds the fallback file that is read, in bytes.
const maxFile = 1 << 20

// Store keeps tokens. It is safe for concurrent use within one program.
type Store struct {
	path     string
	keychain bool
	log      *slog.Logger
	mu       sync.Mutex // guards the file
}

// New returns a store whose fallback file is at path. Without keychain it does not try the operating system's: on Linux
// a program without a session bus would start one.
func New(path string, keychain bool, log *slog.Logger) *Store {
	return &Store{path: path, keychain: keychain, log: log}
}

// Load returns the token stored under key, or "" if there is none.
func (s *Store) Load(key string) (string, error) {
	if s.keychain {
		token, err := keyring.Get(service, key)
		if err == nil {
			return token, nil
		}
		if !errors.Is(err, keyring.ErrNotFound) {
			s.log.Warn("keychain cannot be read", "error", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	tokens, err := s.read()
	return tokens[key], err
}

// Store keeps token under key, in place of the one before.
func (s *Store) Store(key, token string) error {
	inFile := token
	if s.keychain {
		if err := keyring.Set(service, key, token); err == nil {
			inFile = ""
		} else {
			s.log.Warn("keychain cannot be written, using a file", "error", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.change(key, inFile)
}

// Delete forgets the token under key; it is no error if there is none. Where the keychain cannot be reached, a token
// that lies in it stays there: whoever deletes a token also ends its session on the server.
func (s *Store) Delete(key string) error {
	if s.keychain {
		if err := keyring.Delete(service, key); err != nil && !errors.Is(err, keyring.ErrNotFound) {
			s.log.Warn("keychain cannot be written", "error", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.change(key, "")
}

// change sets or, with an empty token, removes an entry of the file.
func (s *Store) change(key, token string) error {
	tokens, err := s.read()
	if err != nil {
		return err
	}
	if tokens[key] == token {
		return nil
	}
	if token == "" {
		delete(tokens, key)
	} else {
		tokens[key] = token
	}
	if len(tokens) == 0 {
		if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove credentials: %w", err)
		}
		return nil
	}
	return s.write(tokens)
}

// read returns the file's entries. A file that is no longer readable as such is an error, never overwritten.
func (s *Store) read() (map[string]string, error) {
	tokens := map[string]string{}
	info, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return tokens, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read credentials: %w", err)
	}
	if info.Size() > maxFile {
		return nil, errors.New("read credentials: the file is too large to be ours")
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(s.path, 0o600); err != nil {
			return nil, fmt.Errorf("protect credentials: %w", err)
		}
	}
	b, err := os.ReadFile(s.path)
	if err != nil {
		return nil, fmt.Errorf("read credentials: %w", err)
	}
	if err := json.Unmarshal(b, &tokens); err != nil || tokens == nil {
		return nil, errors.New("read credentials: the file is not ours") // err would quote the file
	}
	return tokens, nil
}

// write replaces the file in one step, so that a crash leaves the old one or the new one.
func (s *Store) write(tokens map[string]string) (err error) {
	b, err := json.Marshal(tokens)
	if err != nil {
		return fmt.Errorf("encode credentials: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return fmt.Errorf("write credentials: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(s.path), ".credentials-*") // made with mode 0600
	if err != nil {
		return fmt.Errorf("write credentials: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), s.path)
	}
	if err != nil {
		return fmt.Errorf("write credentials: %w", err)
	}
	return nil
}
