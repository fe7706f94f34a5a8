package preview

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/image/font/sfnt"
)

// Every font that the program carries is named in the notices, with the line that says whose it is.
func TestEmbeddedFontsHaveNotices(t *testing.T) {
	notices, err := os.ReadFile("../../../build/NOTICES.md")
	if err != nil {
		t.Fatal(err)
	}
	f, err := loadFonts()
	if err != nil {
		t.Fatal(err)
	}
	for i, one := range f.all {
		for _, id := range []sfnt.NameID{sfnt.NameIDFamily, sfnt.NameIDCopyright} {
			name, err := one.Name(nil, id)
			if name = strings.TrimSpace(name); err != nil || name == "" || !strings.Contains(string(notices), name) {
				t.Errorf("font %d: no notice says %q, %v", i, name, err)
			}
		}
	}
}
