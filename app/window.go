package app

import (
	"context"
	"crypto/sha256"
	_ "embed" // the icon
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wailsapp/wails/v2"
	"github.com/wailsapp/wails/v2/pkg/options"
	"github.com/wailsapp/wails/v2/pkg/options/assetserver"
	"github.com/wailsapp/wails/v2/pkg/options/linux"
	"github.com/wailsapp/wails/v2/pkg/options/windows"
	"github.com/wailsapp/wails/v2/pkg/runtime"

	"widgets.pro/app/internal/bridge"
	"widgets.pro/shared/board"
)

//go:embed icon.png
var icon []byte

// The window's size in pixels: at first, and at least.
const (
	firstWidth, firstHeight = 1280, 820
	leastWidth, leastHeight = 760, 520
	mostSize                = 16_384 // what a stored size may be
	windowFile              = "window.json"
	farewellWait            = time.Second // for a page that writes what is still being typed
)

// windowError says that there is a display, but no window on it.
type windowError struct{ reason any }

// Error implements error.
func (e *windowError) Error() string { return fmt.Sprintf("open window: %v", e.reason) }

// frame is how the window was left. Dark is the colour to paint before the page does.
type frame struct {
	Width     int  `json:"width"`
	Height    int  `json:"height"`
	Maximised bool `json:"maximised"`
	Dark      bool `json:"dark"`
}

// window shows the screens in a window of their own until it is closed.
func (p program) window() (err error) {
	if p.env.Getenv("WEBKIT_DISABLE_DMABUF_RENDERER") == "" {
		// Blank windows on some graphics cards; the screens draw nothing that would need it.
		if err := os.Setenv("WEBKIT_DISABLE_DMABUF_RENDERER", "1"); err != nil {
			return fmt.Errorf("set environment: %w", err)
		}
	}
	d := &desk{}
	c := p.newCore(d)
	var started atomic.Bool
	stop := sync.OnceFunc(c.stop)
	defer stop()
	defer func() { // GTK's binding panics without a display that works
		if v := recover(); v != nil {
			if started.Load() {
				panic(v)
			}
			err = &windowError{v}
		}
	}()
	f := p.loadFrame()
	background := options.NewRGB(0xf7, 0xf8, 0xfa) // the page's own, until it is there
	if f.Dark {
		background = options.NewRGB(0x0e, 0x10, 0x13)
	}
	state := options.Normal
	if f.Maximised {
		state = options.Maximised
	}
	err = wails.Run(&options.App{
		Title: "widgets.pro", Width: f.Width, Height: f.Height, MinWidth: leastWidth, MinHeight: leastHeight,
		WindowStartState: state, BackgroundColour: background,
		AssetServer: &assetserver.Options{Handler: c.bridge},
		Logger:      wailsLog{p.log},
		OnStartup: func(ctx context.Context) {
			started.Store(true)
			d.ready(ctx)
			c.start(true)
		},
		OnBeforeClose: func(ctx context.Context) (prevent bool) {
			runtime.WindowExecJS(ctx, bridge.Farewell)
			c.bridge.AwaitFarewell(farewellWait)
			p.storeFrame(ctx, c)
			return false
		},
		OnShutdown: func(context.Context) { stop() },
		SingleInstanceLock: &options.SingleInstanceLock{
			UniqueId: p.instance(),
			OnSecondInstanceLaunch: func(options.SecondInstanceData) {
				d.raise()
			},
		},
		Linux:   &linux.Options{Icon: icon, WebviewGpuPolicy: linux.WebviewGpuPolicyNever, ProgramName: "pro.widgets.app"},
		Windows: &windows.Options{Theme: windows.SystemDefault},
	})
	if err != nil && !started.Load() {
		return &windowError{err}
	}
	if err != nil {
		return fmt.Errorf("run window: %w", err)
	}
	return nil
}

// instance names this program on this data; two programs on different data may run side by side.
func (p program) instance() string {
	sum := sha256.Sum256([]byte(p.cfg.dir))
	return "pro.widgets." + hex.EncodeToString(sum[:8])
}

// loadFrame reads how the window was left; what does not make sense is as if it had never been open.
func (p program) loadFrame() frame {
	var f frame
	b, err := os.ReadFile(filepath.Join(p.cfg.dir, windowFile))
	if err != nil || json.Unmarshal(b, &f) != nil || f.Width < leastWidth || f.Height < leastHeight || f.Width > mostSize || f.Height > mostSize {
		return frame{Width: firstWidth, Height: firstHeight, Dark: f.Dark}
	}
	return f
}

// storeFrame keeps the window's size and colour. A maximised window keeps the size that it had before.
func (p program) storeFrame(ctx context.Context, c *core) {
	f := p.loadFrame()
	f.Maximised = runtime.WindowIsMaximised(ctx)
	if !f.Maximised {
		f.Width, f.Height = runtime.WindowGetSize(ctx)
	}
	if ws := c.workspace(); ws != nil {
		f.Dark = ws.State().Settings.Theme == board.ThemeDark
	}
	b, err := json.Marshal(f)
	if err == nil {
		err = os.WriteFile(filepath.Join(p.cfg.dir, windowFile), b, 0o600)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		p.log.WarnContext(ctx, "window size not stored", "error", err)
	}
}
