// Package render draws dashboards as HTML with the same program that draws them in the app: the front end's drawing
// bundle, run in an embedded JavaScript engine that has no host objects, no clock and no network.
//
// What is drawn comes from strangers, so every call has a limit of time, memory and stack, and an engine in which
// anything went wrong is thrown away. The package knows nothing of access, HTTP or storage; it draws the published
// projection that it is handed. Start reading at Engine.
package render

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"modernc.org/quickjs"
)

// ErrNotBuilt says that the program was built without the front end's bundle, so nothing can be drawn.
var ErrNotBuilt = errors.New("the front end is not built into this program: run make build")

// ErrDraw says that the bundle could not draw this content: it threw, took too long or too much memory. The same content
// will fail again.
var ErrDraw = errors.New("could not be drawn")

// Limits of one call unless Config says otherwise.
const (
	DefaultTimeout = 10 * time.Second // the largest dashboard takes 2 to 3 s on a slow machine
	DefaultMemory  = 384 << 20        // bytes of one engine's heap
	maxStackSlots  = 20_000           // call frames, about a third of what the engine survives
	maxCalls       = 10_000           // calls after which an engine is replaced, so that no leak grows for ever
)

// Config sets up an Engine. Script is the bundle's text; empty means that it was not built. Size is how many calls run at
// once (1 if less); Timeout and Memory limit one call.
type Config struct {
	Script  string
	Size    int
	Timeout time.Duration
	Memory  uintptr
}

// Board is a drawn dashboard: its title as plain text, the grid as HTML, and the style sheet of this very grid.
type Board struct {
	Title string `json:"title"`
	Body  string `json:"body"`
	CSS   string `json:"css"`
}

// Engine draws. It holds up to Size JavaScript engines, each started when first needed. Safe for concurrent use.
type Engine struct {
	cfg   Config
	slots chan *machine // a nil entry is a slot whose engine is not started
	once  sync.Once     // Close
}

// New returns an Engine over cfg. Nothing is started yet.
func New(cfg Config) *Engine {
	cfg.Size = max(cfg.Size, 1)
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.Memory == 0 {
		cfg.Memory = DefaultMemory
	}
	e := &Engine{cfg: cfg, slots: make(chan *machine, cfg.Size)}
	for range cfg.Size {
		e.slots <- nil
	}
	return e
}

// Board draws a whole dashboard from the JSON of a published board.View. It waits for a free engine until ctx ends.
// Errors are ErrNotBuilt, ErrDraw or ctx's.
func (e *Engine) Board(ctx context.Context, view []byte) (Board, error) {
	out, err := e.call(ctx, "widgets.board", view)
	if err != nil {
		return Board{}, err
	}
	var b Board
	if err := json.Unmarshal([]byte(out), &b); err != nil {
		return Board{}, fmt.Errorf("%w: the drawing is not what was agreed: %w", ErrDraw, err)
	}
	return b, nil
}

// Widget draws one widget from the JSON of a published board.Widget, as the grid of Board holds it.
func (e *Engine) Widget(ctx context.Context, widget []byte) (string, error) {
	return e.call(ctx, "widgets.widget", widget)
}

// Close waits for calls under way and frees every engine. The Engine is not usable afterwards; closing it again does
// nothing.
func (e *Engine) Close() {
	e.once.Do(func() {
		for range e.cfg.Size {
			if m := <-e.slots; m != nil {
				m.close()
			}
		}
	})
}

func (e *Engine) call(ctx context.Context, function string, arg []byte) (out string, err error) {
	if e.cfg.Script == "" {
		return "", ErrNotBuilt
	}
	var m *machine
	select {
	case m = <-e.slots:
	case <-ctx.Done():
		return "", fmt.Errorf("wait for a drawing engine: %w", ctx.Err())
	}
	defer func() { e.slots <- m }()
	if m == nil {
		if m, err = start(e.cfg); err != nil {
			return "", err
		}
	}
	out, err = m.call(ctx, function, string(arg))
	if err != nil || m.calls >= maxCalls {
		m.close()
		m = nil
	}
	if err != nil && ctx.Err() != nil {
		return "", fmt.Errorf("draw: %w", ctx.Err())
	}
	return out, err
}

// machine is one JavaScript engine with the bundle loaded. Not safe for concurrent use.
type machine struct {
	vm    *quickjs.VM
	calls int
	// broken is set when the engine itself panicked: it must not be touched again, not even to free it.
	broken bool
}

func start(cfg Config) (m *machine, err error) {
	vm, err := quickjs.NewVM()
	if err != nil {
		return nil, fmt.Errorf("start a drawing engine: %w", err)
	}
	m = &machine{vm: vm}
	defer func() {
		if err != nil {
			m.close()
			m = nil
		}
	}()
	vm.SetMemoryLimit(cfg.Memory)
	vm.SetMaxStackSize(maxStackSlots)
	if err := vm.SetEvalTimeout(cfg.Timeout); err != nil {
		return m, fmt.Errorf("limit a drawing engine: %w", err)
	}
	_, err = m.guard(func() (any, error) { return vm.Eval(cfg.Script, quickjs.EvalGlobal) })
	if err != nil {
		return m, fmt.Errorf("load the drawing bundle: %w", err)
	}
	return m, nil
}

func (m *machine) call(ctx context.Context, function, arg string) (string, error) {
	m.calls++
	stop := context.AfterFunc(ctx, m.vm.Interrupt)
	defer stop()
	r, err := m.guard(func() (any, error) { return m.vm.Call(function, arg) })
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrDraw, err)
	}
	s, ok := r.(string)
	if !ok {
		return "", fmt.Errorf("%w: %s returned %T, not a string", ErrDraw, function, r)
	}
	return s, nil
}

// guard turns a panic of the engine into an error.
func (m *machine) guard(f func() (any, error)) (r any, err error) {
	defer func() {
		if p := recover(); p != nil {
			m.broken = true
			err = fmt.Errorf("the engine broke: %v", p)
		}
	}()
	return f()
}

func (m *machine) close() {
	if !m.broken {
		_, _ = m.guard(func() (any, error) { return nil, m.vm.Close() })
	}
}
