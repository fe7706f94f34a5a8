package bridge_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"log/slog"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"widgets.pro/app/internal/bridge"
	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
)

// someServer signs anybody in, and is never there otherwise.
type someServer struct{ noServer }

func (someServer) LogIn(_ context.Context, server, email, _ string) (workspace.Session, error) {
	return workspace.Session{Server: server, Account: "acc_1", Email: email, Token: "ses_1"}, nil
}

// signedIn is a bridge whose user is signed in to a server that cannot be reached; its data is in dir.
func signedIn(t *testing.T, dir string) (f fixture, id board.ID) {
	t.Helper()
	f = closed(t, bridge.Deps{})
	f.Open(workspaceIn(t, dir, someServer{}, slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	f.ask("POST", "/api/account/login", `{"server":"https://widgets.example.org","email":"ada@example.org","password":"p"}`, nil)
	return f, f.create("Shop <1> / „Füße“.")
}

func TestQ1_SharingThroughTheBridge(t *testing.T) {
	f, id := signedIn(t, t.TempDir())
	for _, ask := range []string{
		`{"action":"enable","password":"open sesame"}`, `{"action":"password","password":"close sesame"}`, `{"action":"slug","slug":"team-status"}`,
		`{"action":"still","still":true}`, `{"action":"origins","origins":["example.org"]}`, `{"action":"expiry","expires":0}`,
		`{"action":"no_password"}`, `{"action":"rotate"}`, `{"action":"disable"}`,
	} {
		f.ask("POST", "/api/boards/"+string(id)+"/share", ask, nil)
	}
	v := f.view(id).Share
	if l := v.Wanted; l.Enabled || l.Password || !l.Still || len(l.Origins) != 1 || l.Slug != "" || l.Token == "" || len(v.Waiting) != 8 || v.InForce.Version != 0 {
		t.Errorf("%+v", v)
	}
}

func TestP2_NoPlaintextBehindTheBridge(t *testing.T) {
	const canary = "Kanarienvogel"
	dir := t.TempDir()
	f, id := signedIn(t, dir)
	at := "/api/boards/" + string(id) + "/share"
	first := <-poll(t.Context(), f, "c", 0)
	answers := ""
	for ask, status := range map[string]int{
		`{"action":"enable","password":"` + canary + `"}`:                                         200,
		`{"action":"password","password":"` + canary + `-2"}`:                                     200,
		`{"action":"password","password":"` + canary + strings.Repeat("x", 1024) + `"}`:           400,
		`{"action":"rotate","password":"` + canary + `"}`:                                         400,
		`{"action":"` + canary + `","password":"` + canary + `"}`:                                 400,
		`{"action":"password","password":["` + canary + `"]}`:                                     400,
		`{"action":"password","password":"` + canary:                                              400,
		`{"action":"password","` + canary + `":"` + canary + `"}`:                                 400,
		`{"action":"password","password":"` + canary + `"} ` + canary:                             400,
		`{"action":"password","password":"` + strings.Repeat(canary, (64<<10)/len(canary)) + `"}`: 413,
	} {
		w := f.do("POST", at, ask)
		if w.Code != status {
			t.Errorf("%.60s: %d %s", ask, w.Code, w.Body)
		}
		answers += w.Body.String()
	}
	for _, path := range []string{"/api/state", "/api/boards/" + string(id), "/api/events?client=c&after=" + strconv.FormatInt(first.Next, 10), "/api/boards/" + string(id) + "/export"} {
		answers += f.do("GET", path, nil).Body.String()
	}
	if strings.Contains(answers+f.log.String(), canary) {
		t.Error("an answer or the log tells the password")
	}
	hashed := false
	if err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if bytes.Contains(raw, []byte(canary)) {
			t.Errorf("%s holds the password", path)
		}
		hashed = hashed || bytes.Contains(raw, []byte("$argon2id$"))
		return err
	}); err != nil || !hashed {
		t.Errorf("the hash was not found either: %v", err)
	}
}

// read reads a QR code by another program's decoder.
func read(t *testing.T, img image.Image) string {
	t.Helper()
	bits, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bits, nil)
	if err != nil {
		t.Fatalf("not readable: %v", err)
	}
	return result.GetText()
}

// drawn is an SVG as qr draws it, one rectangle a run, as pixels.
func drawn(t *testing.T, svg []byte) (title string, img *image.Gray) {
	t.Helper()
	var in struct {
		ViewBox   string `xml:"viewBox,attr"`
		Rendering string `xml:"shape-rendering,attr"`
		Title     string `xml:"title"`
		Rect      struct {
			Fill  string `xml:"fill,attr"`
			Width int    `xml:"width,attr"`
		} `xml:"rect"`
		Path struct {
			D    string `xml:"d,attr"`
			Fill string `xml:"fill,attr"`
		} `xml:"path"`
	}
	if err := xml.Unmarshal(svg, &in); err != nil {
		t.Fatalf("%v in %s", err, svg)
	}
	box := strings.Fields(in.ViewBox)
	side, err := strconv.Atoi(box[len(box)-1])
	if err != nil || in.Rect.Width != side || in.Rect.Fill != "#fff" || in.Path.Fill != "#000" || in.Rendering != "crispEdges" {
		t.Fatalf("%.300s", svg)
	}
	const scale = 4
	img = image.NewGray(image.Rect(0, 0, side*scale, side*scale))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	runs := regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`)
	if rest := runs.ReplaceAllString(in.Path.D, ""); rest != "" {
		t.Fatalf("unknown path %q", rest)
	}
	for _, m := range runs.FindAllStringSubmatch(in.Path.D, -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		n, _ := strconv.Atoi(m[3])
		for px := x * scale; px < (x+n)*scale; px++ {
			for py := y * scale; py < (y+1)*scale; py++ {
				img.SetGray(px, py, color.Gray{})
			}
		}
	}
	return in.Title, img
}

// margin is how many pixels are white on every side.
func margin(img image.Image) int {
	b := img.Bounds()
	for m := range b.Dx() / 2 {
		for i := m; i < b.Dx()-m; i++ {
			for _, p := range []image.Point{{i, m}, {m, i}, {i, b.Dx() - 1 - m}, {b.Dx() - 1 - m, i}} {
				if r, _, _, _ := img.At(b.Min.X+p.X, b.Min.Y+p.Y).RGBA(); r != 0xffff {
					return m
				}
			}
		}
	}
	return b.Dx() / 2
}

func TestS1_QRCodesLeadToTheAddresses(t *testing.T) {
	f, id := signedIn(t, t.TempDir())
	at := "/api/boards/" + string(id)
	f.ask("POST", at+"/share", `{"action":"enable"}`, nil)
	if w := f.do("GET", at+"/qr?of=slug&format=svg", nil); w.Code != http.StatusConflict || faultIn(t, w).Hint == "" {
		t.Errorf("a code of no name: %d %s", w.Code, w.Body)
	}
	f.ask("POST", at+"/share", `{"action":"slug","slug":"team-status"}`, nil)
	v := f.view(id).Share
	for of, want := range map[string]string{"link": v.URL, "short": v.ShortURL, "slug": v.SlugURL} {
		if !strings.HasPrefix(want, "https://widgets.example.org/s") {
			t.Fatalf("%s is %q", of, want)
		}
		for format, kind := range map[string]string{"svg": "image/svg+xml", "png": "image/png"} {
			w := f.do("GET", at+"/qr?of="+of+"&format="+format, nil)
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != kind || w.Header().Get("Cache-Control") != "no-store" {
				t.Fatalf("%s %s: %d %v", of, format, w.Code, w.Header())
			}
			how, names, err := mime.ParseMediaType(w.Header().Get("Content-Disposition"))
			if err != nil || how != "attachment" || names["filename"] != "Shop -1- - „Füße“ QR code."+format {
				t.Errorf("%s %q %v", how, names["filename"], err)
			}
			var img image.Image
			var modules int
			if format == "svg" {
				title, gray := drawn(t, w.Body.Bytes())
				if title != want {
					t.Errorf("title %q", title)
				}
				img, modules = gray, gray.Bounds().Dx()/4
			} else {
				if img, err = png.Decode(w.Body); err != nil {
					t.Fatal(err)
				}
				if img.Bounds().Dx() < 1024 || img.Bounds().Dx() != img.Bounds().Dy() {
					t.Errorf("%v", img.Bounds())
				}
				modules = img.Bounds().Dx() / (margin(img) / 4)
			}
			if got := read(t, img); got != want {
				t.Errorf("%s %s reads %q, want %q", of, format, got, want)
			}
			if m := margin(img); m*modules != 4*img.Bounds().Dx() {
				t.Errorf("%s %s: %d pixels of %d are white around it", of, format, m, img.Bounds().Dx())
			}
		}
	}
	if !strings.HasSuffix(v.URL, v.Wanted.Token.Reveal()) {
		t.Errorf("%q", v.URL)
	}
}

// The preview of an embedded dashboard is an empty page that this program alone may frame, and that runs and reaches
// nothing.
func TestE1_ThePreviewIsAnEmptyPageOfTheSameOrigin(t *testing.T) {
	for name, f := range map[string]fixture{"built": closed(t, bridge.Deps{UI: page()}), "not built": closed(t, bridge.Deps{})} {
		w := f.do("GET", "/embed-preview", nil)
		h := w.Header()
		if w.Code != http.StatusOK || h.Get("Content-Type") != "text/html; charset=utf-8" || !strings.HasPrefix(w.Body.String(), "<!doctype html>") || strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		csp := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none';", "frame-ancestors 'self'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s: %q lacks %q", name, csp, part)
			}
		}
		for _, part := range []string{"script-src", "connect-src", "unsafe", "*"} {
			if strings.Contains(csp, part) {
				t.Errorf("%s: %q has %q", name, csp, part)
			}
		}
		if h.Get("X-Frame-Options") != "SAMEORIGIN" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", name, h)
		}
		if w := f.do("POST", "/embed-preview", nil); w.Code != http.StatusBadRequest {
			t.Errorf("%s: POST %d", name, w.Code)
		}
	}
}
