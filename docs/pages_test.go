package docs_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A page that names a target which make doesn't have sends its reader to an error.
func TestPagesNameTargetsThatMakeHas(t *testing.T) {
	makefile := read(t, "../Makefile")
	pages := 0
	for _, pattern := range []string{"*.md", "../*.md", "../ci/*.md", "../boshrelease/*.md", "../examples/*/*.md"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			pages++
			for _, found := range regexp.MustCompile("(?m)(?:`|^    |&& )make ([a-z-]+)").FindAllStringSubmatch(read(t, path), -1) {
				if !strings.Contains(makefile, "\n"+found[1]+":") {
					t.Errorf("%s: make has no target %s", path, found[1])
				}
			}
		}
	}
	if pages < 10 {
		t.Errorf("only %d pages were found", pages)
	}
}
