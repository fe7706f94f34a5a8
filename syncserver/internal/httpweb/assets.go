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
	"strconv"

	"github.com/andybalholm/brotli"

	"widgets.pro/syncserver/internal/page"
)

// Files of the front end, by their paths in what it built.
const (
	shareScript  = "share/share.js"
	shareStyles  = "share/share.css"
	renderScript = "render/render.js"
)

// Assets is what the front end's build made for the server. The files that share pages load bear a digest of their content
// in their names, so they may be kept for ever.
type Assets struct {
	files  map[string]*asset
	page   page.Bundle
	render string
}

type asset struct {
	contentType []string
	forms       [3][]byte // identity, gzip, brotli
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
	script, err := read(dist, shareScript)
	if err != nil || script == nil {
		return a, err
	}
	a.page.ScriptURL, err = a.add("share", ".js", "text/javascript; charset=utf-8", script)
	return a, err
}

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

// add keeps a file with its compressed forms and returns its address.
func (a *Assets) add(name, ext, contentType string, content []byte) (string, error) {
	sum := sha256.Sum256(content)
	name += "-" + base64.RawURLEncoding.EncodeToString(sum[:9]) + ext
	f := &asset{contentType: []string{contentType}}
	var gz, br bytes.Buffer
	zw, err := gzip.NewWriterLevel(&gz, gzip.BestCompression)
	if err != nil {
		return "", fmt.Errorf("compress %s: %w", name, err)
	}
	bw := brotli.NewWriterLevel(&br, brotli.BestCompression)
	if _, err := zw.Write(content); err != nil {
		return "", fmt.Errorf("compress %s: %w", name, err)
	}
	if _, err := bw.Write(content); err != nil {
		return "", fmt.Errorf("compress %s: %w", name, err)
	}
	if err := errors.Join(zw.Close(), bw.Close()); err != nil {
		return "", fmt.Errorf("compress %s: %w", name, err)
	}
	f.forms = [3][]byte{content, gz.Bytes(), br.Bytes()}
	for i, b := range f.forms {
		f.lengths[i] = []string{strconv.Itoa(len(b))}
	}
	a.files[name] = f
	return "/assets/" + name, nil
}

//nolint:gochecknoglobals // shared header values, never written to
var (
	forEver   = []string{"public, max-age=31536000, immutable"}
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
	form := 0
	if br, gz := page.Accepts(r.Header["Accept-Encoding"]); br {
		form = 2
	} else if gz {
		form = 1
	}
	h := w.Header()
	h["Content-Type"], h["Cache-Control"], h["Vary"], h["Content-Length"] = f.contentType, forEver, byCoding, f.lengths[form]
	h["Cross-Origin-Resource-Policy"] = crossSite // a share page may stand in a sandboxed frame of another site
	if form != 0 {
		h["Content-Encoding"] = codings[form]
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(f.forms[form]) // a client that went away is no failure
	}
}
