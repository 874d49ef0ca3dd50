package docs_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// symptomRow is symptom, cause and command.
var symptomRow = regexp.MustCompile(`(?m)^\| ([^|]+) \| [^|]+ \| ([^|]+) \|$`)

func symptoms(t *testing.T) [][]string {
	t.Helper()
	var rows [][]string
	for _, row := range symptomRow.FindAllStringSubmatch(read(t, "TROUBLESHOOTING.md"), -1) {
		if row[1] != "symptom" && !strings.HasPrefix(row[1], "---") {
			rows = append(rows, row)
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
	for _, row := range symptoms(t) {
		for _, text := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(row[1], -1) {
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

// odbCommand is one of ours in a cell; its words come before its flags.
var odbCommand = regexp.MustCompile("`odb ((?:[a-z][a-z-]*(?: |`))+)([^`]*)")

func TestCommandsAgainstSymptomsAreThere(t *testing.T) {
	odb := filepath.Join(buildODB(t), "odb")
	helps := map[string]string{}
	for _, row := range symptoms(t) {
		for _, found := range odbCommand.FindAllStringSubmatch(row[2], -1) {
			words := strings.Fields(strings.Trim(found[1], "`"))
			name := strings.Join(words, " ")
			if _, known := helps[name]; !known {
				out, err := exec.CommandContext(t.Context(), odb, append(words, "--help")...).CombinedOutput()
				if helps[name] = string(out); err != nil || !strings.Contains(helps[name], "\n  odb "+name) {
					t.Errorf("there is no command odb %s: %v", name, err)
				}
			}
			for _, flag := range regexp.MustCompile(`--[a-z-]+`).FindAllString(found[2], -1) {
				if !strings.Contains(helps[name], flag+" ") {
					t.Errorf("odb %s has no flag %s", name, flag)
				}
			}
			for _, further := range regexp.MustCompile("`(--[a-z-]+)[^`]*`").FindAllStringSubmatch(row[2], -1) {
				if !strings.Contains(helps[name], further[1]+" ") {
					t.Errorf("odb %s has no flag %s", name, further[1])
				}
			}
		}
	}
	if len(helps) < 8 {
		t.Errorf("only %d commands were found", len(helps))
	}
}
