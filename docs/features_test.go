// Package docs_test keeps the pages of this folder true: what COMPATIBILITY.md says of itself, and the tests that it names.
package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	page     = "COMPATIBILITY.md"
	features = 244
	faults   = 35
)

// row is one of the page's: a feature, or a fault, whose verdict is empty.
type row struct{ id, verdict, proof string }

var (
	// rowStart is how a row of either table begins; the other cells hold no bars.
	rowStart = regexp.MustCompile(`^\| (C?\d+) \| (.+) \|$`)
	// proofs are the parts of a cell that lead somewhere: code, a test's name, a link to a page.
	proofs = regexp.MustCompile("`([^`]+)`" + `|"([^"]+)"|\]\(([A-Z]+\.md)\)`)
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func rowsOf(t *testing.T, text string) []row {
	t.Helper()
	_, text, _ = strings.Cut(text, "\n## Feature by feature\n")
	var rows []row
	for line := range strings.Lines(text) {
		found := rowStart.FindStringSubmatch(strings.TrimSpace(line))
		if found == nil {
			continue
		}
		cells := strings.Split(found[2], " | ")
		r := row{id: found[1], proof: cells[len(cells)-1]}
		switch isFault := strings.HasPrefix(r.id, "C"); {
		case isFault && len(cells) == 2:
		case !isFault && len(cells) == 4:
			r.verdict = cells[2]
		default:
			t.Errorf("row %s has %d cells", r.id, len(cells)+1)
		}
		rows = append(rows, r)
	}
	return rows
}

func TestEveryFeatureAndEveryFaultHasItsRow(t *testing.T) {
	var want, got []string
	for n := range features {
		want = append(want, strconv.Itoa(n+1))
	}
	for n := range faults {
		want = append(want, "C"+strconv.Itoa(n+1))
	}
	for _, r := range rowsOf(t, read(t, page)) {
		got = append(got, r.id)
		if !strings.HasPrefix(r.id, "C") && !slices.Contains([]string{"same", "better", "dropped", "waits"}, r.verdict) {
			t.Errorf("row %s: %q is no verdict", r.id, r.verdict)
		}
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("the rows are not 1 to %d and then C1 to C%d, each once and in order: that is so only of the first %d", features, faults, i)
		}
	}
}

// The summary at the top of the page is to be copied from what this test says when it fails.
func TestTheSummaryIsThatOfTheRows(t *testing.T) {
	text := read(t, page)
	count := map[string]int{}
	var untested []string
	for _, r := range rowsOf(t, text) {
		count[r.verdict]++
		if strings.Contains(r.proof, "untested") {
			untested = append(untested, r.id)
		}
	}
	if untested == nil {
		untested = []string{"none"}
	}
	summary := fmt.Sprintf("%d same, %d better, %d dropped, %d waiting. Untested, wholly or in part: %s.",
		count["same"], count["better"], count["dropped"], count["waits"], strings.Join(untested, ", "))
	if !strings.Contains(text, "\n"+summary+"\n") {
		t.Errorf("%s needs the line\n%s", page, summary)
	}
}

func TestEveryRowNamesWhatShowsItAndItIsThere(t *testing.T) {
	for _, r := range rowsOf(t, read(t, page)) {
		waits := strings.Contains(r.proof, "for: ")
		if r.verdict == "waits" && !waits {
			t.Errorf("row %s waits and doesn't say what for", r.id)
		}
		if shown := checkProofs(t, r); !shown && !waits && !strings.Contains(r.proof, "untested") {
			t.Errorf("row %s names nothing that shows it", r.id)
		}
	}
}

// checkProofs looks up each test that a row names, in the file that it names before, and tells whether it names any.
func checkProofs(t *testing.T, r row) (shown bool) {
	t.Helper()
	file, text := "", ""
	for _, found := range proofs.FindAllStringSubmatch(r.proof, -1) {
		code, quoted, linked := found[1], found[2], found[3]
		switch {
		case strings.HasSuffix(code, "_test.go"), linked != "":
			file = pathOf(code + linked)
			content, err := os.ReadFile(file)
			if err != nil {
				t.Errorf("row %s: %v", r.id, err)
			}
			text = string(content)
			continue
		case file == "":
			continue // words before the first file are about something else
		case strings.HasPrefix(code, "Test"):
			if !strings.Contains(text, "func "+code+"(") {
				t.Errorf("row %s: there is no %s in %s", r.id, code, file)
			}
		case quoted != "":
			if !strings.Contains(text, quoted) {
				t.Errorf("row %s: there is no %q in %s", r.id, quoted, file)
			}
		case file == pathOf("config/config_test.go"):
			if _, err := os.Stat(filepath.Join("../config/testdata/bad", code+".yml")); err != nil {
				t.Errorf("row %s: %v", r.id, err)
			}
		}
		shown = true
	}
	return shown
}

// pathOf is where a file of the page is: pages are here, tests without a folder in cmd/odb.
func pathOf(named string) string {
	switch {
	case strings.HasSuffix(named, ".md"):
		return named
	case !strings.Contains(named, "/"):
		return filepath.Join("../cmd/odb", named)
	default:
		return filepath.Join("..", named)
	}
}
