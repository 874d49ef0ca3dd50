package docs_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/on-demand-broker/odb/docs/pages"
)

// readAll are all pages of the repository by their paths, as seen from here.
func readAll(t *testing.T) map[string]pages.Page {
	t.Helper()
	all := map[string]pages.Page{}
	for _, path := range documents(t) {
		page, err := pages.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		all[path] = page
	}
	return all
}

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	all := readAll(t)
	checked := 0
	for path, page := range all {
		for _, link := range page.Links() {
			checked++
			target := path
			if link.Path != "" {
				target = filepath.Join(filepath.Dir(path), link.Path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s:%d: %v", path, link.Line, err)
				continue
			}
			if there, isPage := all[target]; link.Anchor != "" && isPage && !there.Anchors()[link.Anchor] {
				t.Errorf("%s:%d: %s has no heading #%s", path, link.Line, target, link.Anchor)
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d links were found", checked)
	}
}
