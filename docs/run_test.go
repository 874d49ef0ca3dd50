package docs_test

import (
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/on-demand-broker/odb/docs/pages"
)

// documents are the paths of all pages of the repository, as seen from here.
func documents(t *testing.T) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name == "bin" || name == "src" || len(name) > 2 && strings.HasPrefix(name, ".")):
			return fs.SkipDir // what was built, and what isn't ours
		case strings.HasSuffix(name, ".md"):
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < 10 {
		t.Fatalf("only %d pages were found", len(paths))
	}
	return paths
}

// buildODB makes the program that the pages are about, and returns the directory that it is in. It looks at what that is built
// from, since `go test` repeats an earlier result unless a file has changed that the test itself looked at.
func buildODB(t *testing.T) string {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && !strings.HasSuffix(path, "_test.go") && slices.Contains([]string{".go", ".yml"}, filepath.Ext(path)) {
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "odb"), "../cmd/odb").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// ports are those that pages name, with free ones to take their place.
func ports(t *testing.T) (replace []string) {
	t.Helper()
	for _, named := range []string{"8080", "25555"} {
		free, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer free.Close() // only when both are found, so that they differ
		replace = append(replace, named, strconv.Itoa(free.Addr().(*net.TCPAddr).Port))
	}
	return replace
}

// demoCommand is what `make demo` is for who isn't in the clone.
func demoCommand(t *testing.T) string {
	t.Helper()
	clone, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return "make --no-print-directory -C '" + clone + "' demo"
}

// TestPagesAreTrue runs what the pages have marked for it; how they do, package pages says. Commands find odb in their PATH.
func TestPagesAreTrue(t *testing.T) {
	path := "PATH=" + buildODB(t) + string(os.PathListSeparator) + os.Getenv("PATH")
	ran := 0
	for _, document := range documents(t) {
		page, err := pages.Read(document)
		if err != nil {
			t.Error(err)
		}
		if !page.Runs() {
			continue
		}
		ran++
		t.Run(strings.TrimPrefix(document, "../"), func(t *testing.T) {
			env := slices.Concat(os.Environ(), []string{path, "LC_ALL=C"})
			if err := (pages.Run{Page: page, Dir: t.TempDir(), Env: env, Replace: append(ports(t), "make demo", demoCommand(t))}).Do(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	if ran == 0 {
		t.Error("no page has anything to run")
	}
}
