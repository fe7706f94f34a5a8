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
	forms       [3][]byte   // identity, gzip, brotli
	lengths     [3][]string
}

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
		if a.embed, err = newAsset(javaScript, embed); err != nil {
			return nil, fmt.Errorf("compress %s: %w", embedScript, err)
		}
	}
	if err := a.addWorkspace(dist); err != nil {
		return nil, err
	}
	script, err := read(dist, shareScript)
	if err != nil || script == nil {
		return a, err
	}
	a.page.ScriptURL, err = a.add("share", ".js", javaScript, script)
	return a, err
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
		if a.icon, err = newAsset(svg, icon); err != nil {
			return fmt.Errorf("compress %s: %w", workspaceIcon, err)
		}
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
		if a.files[f.Name()], err = newAsset(kind, content); err != nil {
			return fmt.Errorf("compress %s: %w", f.Name(), err)
		}
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
func (a *Assets) add(name, ext, contentType string, content []byte) (string, error) {
	sum := sha256.Sum256(content)
	name += "-" + base64.RawURLEncoding.EncodeToString(sum[:9]) + ext
	f, err := newAsset(contentType, content)
	if err != nil {
		return "", fmt.Errorf("compress %s: %w", name, err)
	}
	a.files[name] = f
	return "/assets/" + name, nil
}

// newAsset makes the compressed forms of a file.
func newAsset(contentType string, content []byte) (*asset, error) {
	var gz, br bytes.Buffer
	zw, err := gzip.NewWriterLevel(&gz, gzip.BestCompression)
	if err != nil {
		return nil, err //nolint:wrapcheck // wrapped where the name is known
	}
	bw := brotli.NewWriterLevel(&br, brotli.BestCompression)
	if _, err := zw.Write(content); err != nil {
		return nil, err //nolint:wrapcheck // wrapped where the name is known
	}
	if _, err := bw.Write(content); err != nil {
		return nil, err //nolint:wrapcheck // wrapped where the name is known
	}
	if err := errors.Join(zw.Close(), bw.Close()); err != nil {
		return nil, err
	}
	f := &asset{contentType: []string{contentType}, forms: [3][]byte{content, gz.Bytes(), br.Bytes()}}
	sum := sha256.Sum256(content)
	for i, b := range f.forms {
		f.lengths[i] = []string{strconv.Itoa(len(b))}
		f.tags[i] = []string{fmt.Sprintf(`"%x-%d"`, sum[:9], i)}
	}
	return f, nil
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
	f.serve(w, r, f.form(r), forEver)
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
	form := f.form(r)
	w.Header()["Etag"] = f.tags[form]
	if strings.Contains(r.Header.Get("If-None-Match"), f.tags[form][0]) {
		h := w.Header()
		h["Cache-Control"], h["Vary"], h["Cross-Origin-Resource-Policy"] = forAnHour, byCoding, crossSite
		w.WriteHeader(http.StatusNotModified)
		return
	}
	f.serve(w, r, form, forAnHour)
}

// form chooses the form of f that the client takes.
func (f *asset) form(r *http.Request) int {
	br, gz := page.Accepts(r.Header["Accept-Encoding"])
	switch {
	case br:
		return 2
	case gz:
		return 1
	}
	return 0
}

func (f *asset) serve(w http.ResponseWriter, r *http.Request, form int, kept []string) {
	h := w.Header()
	h["Content-Type"], h["Cache-Control"], h["Vary"], h["Content-Length"] = f.contentType, kept, byCoding, f.lengths[form]
	h["Cross-Origin-Resource-Policy"] = crossSite // a share page may stand in a sandboxed frame of another site
	if form != 0 {
		h["Content-Encoding"] = codings[form]
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(f.forms[form]) // a client that went away is no failure
	}
}
