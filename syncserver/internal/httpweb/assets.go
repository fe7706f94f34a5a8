package httpweb

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"

	"widgets.pro/syncserver/internal/page"
)

// Files of the front end, by their paths in what it built.
const (
	shareScript  = "share/share.js"
	shareStyles  = "share/share.css"
	embedScript  = "share/embed.js"
	renderScript = "render/render.js"
	// The page of the workspace, and the folder of what it loads. Those files have a digest in their names already.
	workspacePage  = "app/web.html"
	workspaceFiles = "app/assets"
	workspaceIcon  = "app/icon.svg"
)

// Assets is what the front end's build made for the server. The files that share pages load bear a digest of their content
// in their names, so they may be kept for ever.
type Assets struct {
	files  map[string]*asset
	page   page.Bundle
	render string
	embed  *asset // at a stable address; nil if it was not built
	app    []byte // the workspace's page; nil if it was not built
	icon   *asset // at a stable address; nil if it was not built
}

type asset struct {
	contentType []string
	tags        [3][]string // ETags
	forms       [3]func() coded
}

// coded is a file in one coding: identity, gzip or brotli.
type coded struct {
	content []byte
	length  []string
}

func newCoded(content []byte) coded { return coded{content, []string{strconv.Itoa(len(content))}} }

// LoadAssets reads what the front end built. What is not there, because it was not built, is left out; dist may be nil.
func LoadAssets(dist fs.FS) (*Assets, error) {
	a := &Assets{files: map[string]*asset{}}
	css, err := read(dist, shareStyles)
	if err != nil {
		return nil, err
	}
	a.page.CSS = string(bytes.TrimSpace(css))
	draw, err := read(dist, renderScript)
	if err != nil {
		return nil, err
	}
	a.render = string(draw)
	const javaScript = "text/javascript; charset=utf-8"
	embed, err := read(dist, embedScript)
	if err != nil {
		return nil, err
	}
	if embed != nil {
		a.embed = newAsset(javaScript, embed)
	}
	if err := a.addWorkspace(dist); err != nil {
		return nil, err
	}
	script, err := read(dist, shareScript)
	if err != nil || script == nil {
		return a, err
	}
	a.page.ScriptURL = a.add("share", ".js", javaScript, script)
	return a, nil
}

// addWorkspace keeps the workspace's page and what it loads.
func (a *Assets) addWorkspace(dist fs.FS) (err error) {
	if a.app, err = read(dist, workspacePage); err != nil || a.app == nil {
		return err
	}
	files, err := fs.ReadDir(dist, workspaceFiles)
	if err != nil {
		return fmt.Errorf("list the workspace's files: %w", err)
	}
	icon, err := read(dist, workspaceIcon)
	if err != nil {
		return err
	}
	const svg = "image/svg+xml"
	if icon != nil {
		a.icon = newAsset(svg, icon)
	}
	types := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": svg}
	for _, f := range files {
		kind, known := types[path.Ext(f.Name())]
		if !known {
			return fmt.Errorf("%s/%s is of no kind that is served", workspaceFiles, f.Name())
		}
		content, err := read(dist, workspaceFiles+"/"+f.Name())
		if err != nil {
			return err
		}
		a.files[f.Name()] = newAsset(kind, content)
	}
	return nil
}

// Workspace is the workspace's page, nil if the front end was not built.
func (a *Assets) Workspace() []byte { return a.app }

func read(dist fs.FS, name string) ([]byte, error) {
	if dist == nil {
		return nil, nil
	}
	b, err := fs.ReadFile(dist, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return b, nil
}

// Bundle is what documents need of the assets.
func (a *Assets) Bundle() page.Bundle { return a.page }

// RenderScript is the drawing bundle for render.Config, empty if the front end was not built.
func (a *Assets) RenderScript() string { return a.render }

// add keeps a file under a name that tells its content, and returns its address.
func (a *Assets) add(name, ext, contentType string, content []byte) string {
	sum := sha256.Sum256(content)
	name += "-" + base64.RawURLEncoding.EncodeToString(sum[:9]) + ext
	a.files[name] = newAsset(contentType, content)
	return "/assets/" + name
}

// newAsset keeps a file. Its compressed forms are made when they are first asked for, and once.
func newAsset(contentType string, content []byte) *asset {
	identity := newCoded(content)
	f := &asset{contentType: []string{contentType}, forms: [3]func() coded{
		func() coded { return identity },
		sync.OnceValue(func() coded { return newCoded(zip(content)) }),
		sync.OnceValue(func() coded { return newCoded(squeeze(content)) }),
	}}
	sum := sha256.Sum256(content)
	for i := range f.forms {
		f.tags[i] = []string{fmt.Sprintf(`"%x-%d"`, sum[:9], i)}
	}
	return f
}

func zip(content []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // there is this level
	_, _ = w.Write(content)                                 // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// quick is the size in bytes from which a file is compressed less well, since somebody waits: the best would take a second
// for the workspace's script.
const quick = 64 << 10

func squeeze(content []byte) []byte {
	level := brotli.BestCompression
	if len(content) > quick {
		level = brotli.DefaultCompression
	}
	var out bytes.Buffer
	w := brotli.NewWriterLevel(&out, level)
	_, _ = w.Write(content) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

//nolint:gochecknoglobals // shared header values, never written to
var (
	forEver   = []string{"public, max-age=31536000, immutable"}
	forAnHour = []string{"public, max-age=3600"}
	byCoding  = []string{"Accept-Encoding"}
	crossSite = []string{"cross-origin"}
	codings   = [3][]string{nil, {"gzip"}, {"br"}}
)

// ServeHTTP serves /assets/{name}.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := a.files[r.PathValue("name")]
	if f == nil {
		http.Error(w, "There is no such file.", http.StatusNotFound)
		return
	}
	f.serve(w, r, f.coding(r), forEver)
}

// Embed serves the script that makes frames as high as their content, to the pages of other sites (rule E6).
func (a *Assets) Embed(w http.ResponseWriter, r *http.Request) { a.embed.stable(w, r) }

// Icon serves the workspace's icon.
func (a *Assets) Icon(w http.ResponseWriter, r *http.Request) { a.icon.stable(w, r) }

// stable serves a file whose address stays, so that it is asked for again after an hour.
func (f *asset) stable(w http.ResponseWriter, r *http.Request) {
	if f == nil {
		http.Error(w, "There is no such file.", http.StatusNotFound)
		return
	}
	coding := f.coding(r)
	w.Header()["Etag"] = f.tags[coding]
	if strings.Contains(r.Header.Get("If-None-Match"), f.tags[coding][0]) {
		h := w.Header()
		h["Cache-Control"], h["Vary"], h["Cross-Origin-Resource-Policy"] = forAnHour, byCoding, crossSite
		w.WriteHeader(http.StatusNotModified)
		return
	}
	f.serve(w, r, coding, forAnHour)
}

// coding chooses the form of f that the client takes.
func (f *asset) coding(r *http.Request) int {
	br, gz := page.Accepts(r.Header["Accept-Encoding"])
	switch {
	case br:
		return 2
	case gz:
		return 1
	}
	return 0
}

func (f *asset) serve(w http.ResponseWriter, r *http.Request, coding int, kept []string) {
	h, form := w.Header(), f.forms[coding]()
	h["Content-Type"], h["Cache-Control"], h["Vary"], h["Content-Length"] = f.contentType, kept, byCoding, form.length
	h["Cross-Origin-Resource-Policy"] = crossSite // a share page may stand in a sandboxed frame of another site
	if coding != 0 {
		h["Content-Encoding"] = codings[coding]
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(form.content) // a client that went away is no failure
	}
}
