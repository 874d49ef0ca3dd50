package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// symptomRow is symptom, cause and command; whether commands are there is checked on all pages alike.
var symptomRow = regexp.MustCompile(`(?m)^\| ([^|]+) \| [^|]+ \| [^|]+ \|$`)

func symptoms(t *testing.T) []string {
	t.Helper()
	var rows []string
	for _, row := range symptomRow.FindAllStringSubmatch(read(t, "TROUBLESHOOTING.md"), -1) {
		if row[1] != "symptom" && !strings.HasPrefix(row[1], "---") {
			rows = append(rows, row[1])
		}
	}
	if len(rows) < 25 {
		t.Fatalf("only %d symptoms were found", len(rows))
	}
	return rows
}

// Who searches for a text must find it: what is quoted stands in the program, or in what was recorded of a Director or a Cloud
// Controller.
func TestQuotedSymptomsAreTextsThatAreShown(t *testing.T) {
	shown := textsThatAreShown(t)
	quoted := 0
	for _, symptom := range symptoms(t) {
		for _, text := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(symptom, -1) {
			quoted++
			for part := range strings.SplitSeq(text[1], "…") {
				if part = strings.TrimSpace(part); len(part) > 1 && !strings.Contains(shown, part) {
					t.Errorf("nothing shows %q", part)
				}
			}
		}
	}
	if quoted < 20 {
		t.Errorf("only %d texts are quoted", quoted)
	}
}

func textsThatAreShown(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if program := strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"); !program && filepath.Ext(path) != ".http" {
			return nil
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`"\s*\+\s*"`).ReplaceAllString(all.String(), "") // texts that are written on several lines
}
