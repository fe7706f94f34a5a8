package frontend_test

import (
	"errors"
	"testing"

	"widgets.pro/frontend"
)

func TestRead(t *testing.T) {
	if _, err := frontend.Read("nothing/such"); !errors.Is(err, frontend.ErrNotBuilt) {
		t.Fatalf("a file that is not there: got %v, want ErrNotBuilt", err)
	}
	for _, name := range []string{frontend.AppIndex, frontend.ShareScript, frontend.ShareStyles, frontend.EmbedScript, frontend.RenderScript} {
		b, err := frontend.Read(name)
		switch {
		case errors.Is(err, frontend.ErrNotBuilt): // a fresh clone compiles and tests without the front end
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case len(b) == 0:
			t.Errorf("%s is empty", name)
		}
	}
}

func TestAppFS(t *testing.T) {
	app, err := frontend.AppFS()
	if errors.Is(err, frontend.ErrNotBuilt) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := app.Open("index.html")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
