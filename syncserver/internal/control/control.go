// Package control is the door for whoever runs a server: a socket beside the data file, by which its commands ask the
// running server for what it alone can do, since it has the file for itself.
//
// The socket is the file system's, not the network's, and its mode lets in the server's own user and no other: who may
// open it may read the data file too. It has the data file's name with ".sock" behind. The package knows nothing of what
// is in the data file. Start reading at Open for the server and at Backup for the commands.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"widgets.pro/shared/fault"
)

// backupPath is where a backup is asked for.
const backupPath = "/backup"

// headerTimeout is how long a command may take to say what it wants.
const headerTimeout = 10 * time.Second

// Data is the data file that the server has open.
type Data interface {
	// Copy writes it, as it is at one moment, to a new file, and tells how many bytes that are.
	Copy(ctx context.Context, to *os.File) (int64, error)
}

// Path is where the socket of a data file is.
func Path(data string) string { return data + ".sock" }

// Door answers the commands. Close it before the data file.
type Door struct {
	path    string
	data    Data
	log     *slog.Logger
	srv     *http.Server
	one     sync.Mutex // a backup is being made
	stopped chan struct{}
}

// Open makes the socket of a data file, which this process must have for itself, and answers on it. What a server that was
// killed has left of one is replaced.
func Open(path string, data Data, log *slog.Logger) (*Door, error) {
	ln, err := listen(Path(path))
	if err != nil {
		return nil, fmt.Errorf("open the socket beside the data file: %w", err)
	}
	d := &Door{path: path, data: data, log: log, stopped: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+backupPath, d.backup)
	d.srv = &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	go func() {
		defer close(d.stopped)
		_ = d.srv.Serve(ln) // ends with Close
	}()
	return d, nil
}

// listen makes a socket that nobody else can open, not even for a moment: it is born in a directory of its own.
func listen(path string) (net.Listener, error) {
	private, err := os.MkdirTemp(filepath.Dir(path), ".w")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(private) }()
	born := filepath.Join(private, "s")
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: born, Net: "unix"})
	if err != nil {
		return nil, err
	}
	ln.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(born, 0o600), os.Rename(born, path)); err != nil {
		return nil, errors.Join(err, ln.Close(), os.Remove(born))
	}
	return ln, nil
}

// Close lets nobody in any more, breaks off what is under way and takes the socket away.
func (d *Door) Close() {
	_ = d.srv.Close()
	<-d.stopped
	_ = os.Remove(Path(d.path))
}

// backup answers with a copy of the data file. It is written to a file of this machine first, beside the data file: the
// transaction that reads it must never wait for whoever asked, who may be slow or asleep.
func (d *Door) backup(w http.ResponseWriter, r *http.Request) {
	if !d.one.TryLock() {
		refuse(w, fault.New(fault.Busy, "A backup of this server is being made already.").WithHint("Wait until it is done."))
		return
	}
	defer d.one.Unlock()
	f, err := os.CreateTemp(filepath.Dir(d.path), ".backup-*")
	if err != nil {
		d.log.ErrorContext(r.Context(), "a backup could not be made", "error", err)
		refuse(w, noRoom(err))
		return
	}
	defer func() {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}()
	_ = os.Remove(f.Name()) // from here on it goes with its last user, even if that is killed; where that cannot be, it goes below
	size, err := d.data.Copy(r.Context(), f)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		if r.Context().Err() == nil {
			d.log.ErrorContext(r.Context(), "a backup could not be made", "error", err)
			refuse(w, noRoom(err))
		}
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	_, _ = io.CopyN(w, f, size) // what comes out short is noticed by its length
	d.log.InfoContext(r.Context(), "a backup was made", "bytes", size)
}

func noRoom(err error) *fault.Error {
	if f := fault.From(err); f.Kind != fault.Internal {
		return f
	}
	return fault.New(fault.Unavailable, "The server could not copy its data file.").
		WithHint("For the time of a backup it needs as much room again beside the data file. Its log says more.").WithCause(err)
}

func refuse(w http.ResponseWriter, f *fault.Error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusServiceUnavailable)
	_ = json.NewEncoder(w).Encode(f) // who does not read it is gone
}

// ErrNobody means that no server answers for a data file.
var ErrNobody = errors.New("no server answers for this data file")

// Backup has the server that runs on a data file write a copy of it to w. Everything that the server had acknowledged
// before is in it. It fails with ErrNobody if no server answers, and with the server's fault if that cannot do it.
func Backup(ctx context.Context, path string, w io.Writer) error {
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, "unix", Path(path))
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrNobody, err)
			}
			return c, nil
		},
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://server"+backupPath, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		f := &fault.Error{}
		if json.NewDecoder(io.LimitReader(res.Body, 1<<16)).Decode(f) != nil || f.Message == "" {
			f = fault.Newf(fault.Unavailable, "The server answered with status %d.", res.StatusCode)
		}
		return f
	}
	n, err := io.Copy(w, res.Body)
	if err == nil && n != res.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("take the copy: %w", err)
	}
	return nil
}
