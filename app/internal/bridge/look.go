package bridge

import (
	"log/slog"
	"net/http"
	"sync"
	"time"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
)

// lookAway is how long a screen may be silent between two polls without being taken for gone. It lies above the longest
// pause that the screens make.
const lookAway = 10 * time.Second

// looks keeps what the screen said last that it shows. A screen that stops to poll, since its tab was closed or its machine
// sleeps, does not look at anything; once it polls again it looks at what it did. It is safe for concurrent use.
type looks struct {
	away time.Duration
	log  *slog.Logger

	mu      sync.Mutex
	ws      *workspace.Workspace // nil until a screen has looked
	board   board.ID
	polls   int         // under way
	timer   *time.Timer // runs while there are none, nil otherwise
	gone    bool        // no screen has polled for so long that the workspace was told
	stopped bool
}

// look takes what the screen shows.
func (b *Bridge) look(w http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
	var in struct {
		Board   string `json:"board"`
		Editing bool   `json:"editing"`
	}
	if err := decode(w, r, maxSmall, &in); err != nil {
		return nil, err
	}
	id := board.ID("")
	if in.Board != "" {
		var err error
		if id, err = board.ParseID(in.Board); err != nil {
			return nil, fault.New(fault.NotFound, "There is no such dashboard.").WithCause(err)
		}
	}
	return done{}, b.looks.at(ws, id, in.Editing)
}

func (l *looks) at(ws *workspace.Workspace, id board.ID, editing bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ws.Look(id, editing); err != nil {
		return err
	}
	l.ws, l.board, l.gone = ws, id, false
	return nil
}

// enter counts a poll that begins.
func (l *looks) enter() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.polls++
	l.unwind()
	if l.gone {
		l.gone = false
		l.tell(l.board)
	}
}

// leave counts a poll that has ended.
func (l *looks) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unwind()
	if l.polls--; l.polls == 0 && !l.stopped {
		l.timer = time.AfterFunc(l.away, l.lookAway)
	}
}

func (l *looks) lookAway() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.polls > 0 || l.stopped || l.ws == nil {
		return // a poll came just now, or there is nothing to look away from
	}
	l.gone = true
	l.tell("")
}

// unwind stops the timer. The caller holds l.mu.
func (l *looks) unwind() {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
}

// tell tells the workspace. The caller holds l.mu.
func (l *looks) tell(id board.ID) {
	if err := l.ws.Look(id, false); err != nil { // it was deleted meanwhile
		l.log.Debug("not looked at", "error", err)
	}
}

func (l *looks) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	l.unwind()
}
