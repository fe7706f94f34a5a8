// Package frontend hands out what the front end's build made: the app's page, and what the server needs to draw and
// serve share pages. It knows nothing of what is in the files. Start at build.mjs for what goes into them.
package frontend

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// ErrNotBuilt says that the program was compiled before the front end was built (`make build` does both).
var ErrNotBuilt = errors.New("the front end is not built: run `npm --prefix frontend run build` and compile again")

// The files that the programs rely on, by their paths in Dist.
const (
	// AppIndex is the app's page.
	AppIndex = "app/index.html"
	// ShareScript is the script of share pages, ShareStyles the style sheet that they inline.
	ShareScript = "share/share.js"
	ShareStyles = "share/share.css"
	// EmbedScript makes frames on other sites as high as the share page in them.
	EmbedScript = "share/embed.js"
	// RenderScript defines globalThis.widgets in a JavaScript engine that has no host objects.
	RenderScript = "render/render.js"
)

// Dist is everything that was built, rooted at dist. It may hold nothing but .gitkeep; see ErrNotBuilt.
func Dist() fs.FS {
	return sub(dist, "dist")
}

// AppFS is the app as a web server serves it: index.html and assets. The error is ErrNotBuilt if there is none.
func AppFS() (fs.FS, error) {
	if _, err := Read(AppIndex); err != nil {
		return nil, err
	}
	return sub(dist, "dist/app"), nil
}

// Read returns one of the built files. The error is ErrNotBuilt if it is not there.
func Read(name string) ([]byte, error) {
	b, err := fs.ReadFile(Dist(), name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", name, ErrNotBuilt)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return b, nil
}

// sub cannot fail, since dir is a valid constant path.
func sub(f fs.FS, dir string) fs.FS {
	s, err := fs.Sub(f, dir)
	if err != nil {
		panic(err)
	}
	return s
}
