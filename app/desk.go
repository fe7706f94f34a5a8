package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/wailsapp/wails/v2/pkg/runtime"
)

// desk is the desktop around the window. It works once the window is there.
type desk struct {
	mu  sync.Mutex
	ctx context.Context //nolint:containedctx // Wails hands its window out as a context
}

var errNoWindow = errors.New("the window is not open yet")

func (d *desk) ready(ctx context.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ctx = ctx
}

// do runs fn with the window's context.
func (d *desk) do(fn func(ctx context.Context)) error {
	d.mu.Lock()
	ctx := d.ctx
	d.mu.Unlock()
	if ctx == nil {
		return errNoWindow
	}
	fn(ctx)
	return nil
}

// raise brings the window to the front, if it is there.
func (d *desk) raise() {
	_ = d.do(func(ctx context.Context) {
		runtime.WindowUnminimise(ctx)
		runtime.Show(ctx)
	})
}

// OpenURL opens an address in the user's browser or mail program.
func (d *desk) OpenURL(url string) error {
	return d.do(func(ctx context.Context) { runtime.BrowserOpenURL(ctx, url) })
}

// SetClipboard writes a text to the clipboard.
func (d *desk) SetClipboard(text string) (err error) {
	if e := d.do(func(ctx context.Context) { err = runtime.ClipboardSetText(ctx, text) }); e != nil {
		return e
	}
	if err != nil {
		return fmt.Errorf("set clipboard: %w", err)
	}
	return nil
}

// wailsLog hands what Wails has to say to the program's log.
type wailsLog struct{ log *slog.Logger }

func (l wailsLog) say(level slog.Level, message string) {
	l.log.Log(context.Background(), level, "wails", "text", strings.TrimSpace(message))
}

// Print implements Wails' logger, as the others below.
func (l wailsLog) Print(message string)   { l.say(slog.LevelInfo, message) }
func (l wailsLog) Trace(message string)   { l.say(slog.LevelDebug, message) }
func (l wailsLog) Debug(message string)   { l.say(slog.LevelDebug, message) }
func (l wailsLog) Info(message string)    { l.say(slog.LevelDebug, message) }
func (l wailsLog) Warning(message string) { l.say(slog.LevelWarn, message) }
func (l wailsLog) Error(message string)   { l.say(slog.LevelError, message) }
func (l wailsLog) Fatal(message string)   { l.say(slog.LevelError, message) }
