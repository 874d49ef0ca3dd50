package docs_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/on-demand-broker/odb/docs/adapter"
	"github.com/on-demand-broker/odb/docs/pages"
)

const adapterPage = "ADAPTER.md"

// That its messages are those of a run, a story in cmd/odb shows.
func TestTheMessagesOnTheAdaptersPageAreAsItsSchemasSay(t *testing.T) {
	page, err := pages.Read(adapterPage)
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := adapter.Exact()
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, block := range page.Blocks {
		kind, _, labelled := strings.Cut(block.Label, " ")
		if !labelled || !strings.Contains(kind, ".") {
			continue
		}
		shown = append(shown, kind)
		if err := schemas.Check(kind, []byte(block.Text)); err != nil {
			t.Errorf("%s:%d: %v", block.Page, block.Line, err)
		}
	}
	for _, kind := range schemas.Kinds() {
		if !strings.HasSuffix(kind, ".arguments") && !slices.Contains(shown, kind) {
			t.Errorf("there is no example of %s", kind)
		}
	}
}

// A member of a message that only the schemas know is one that authors don't hear of.
func TestTheAdaptersPageNamesEveryMemberOfEveryMessage(t *testing.T) {
	words := map[string]bool{}
	for _, code := range regexp.MustCompile("`[^`\n]+`").FindAllString(read(t, adapterPage), -1) {
		for _, word := range regexp.MustCompile(`\w+`).FindAllString(code, -1) {
			words[word] = true
		}
	}
	files, err := filepath.Glob("adapter/*.schema.json")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var schema map[string]any
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, name := range membersIn(schema) {
			if !words[strings.Trim(name, "$")] {
				t.Errorf("%s: nothing is said of %q", file, name)
			}
		}
	}
}

// membersIn are the names of what a schema lists as properties, at every level. An object that says nothing of additionalProperties
// is one of the protocol's own, the others are the platform's and BOSH's.
func membersIn(value any) (names []string) {
	switch value := value.(type) {
	case []any:
		for _, inner := range value {
			names = append(names, membersIn(inner)...)
		}
	case map[string]any:
		properties, _ := value["properties"].(map[string]any)
		for name := range properties {
			if value["additionalProperties"] == nil {
				names = append(names, name)
			}
		}
		for keyword, inner := range value {
			if keyword != "properties" {
				names = append(names, membersIn(inner)...)
			}
		}
		for _, inner := range properties {
			names = append(names, membersIn(inner)...)
		}
	}
	return names
}
