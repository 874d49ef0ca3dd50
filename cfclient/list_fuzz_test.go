package cfclient

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzDecodePage looks for pages that are taken for something else than encoding/json takes them for.
func FuzzDecodePage(f *testing.F) {
	recorded, err := filepath.Glob(filepath.Join("cftest", "testdata", "recorded", "2[01]*.http"))
	if err != nil || len(recorded) == 0 {
		f.Fatalf("no recordings to begin with: %v", err)
	}
	for _, file := range recorded {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		_, answer, _ := strings.Cut(string(text), "## response\n")
		_, body, _ := strings.Cut(answer, "\n\n")
		f.Add(body)
	}
	f.Add(`{"resources":[{"guid":"a"},{}],"other":[1,{"b":null}],"pagination":{"total_results":2,"next":{"href":"x"}}}`)
	f.Add(`{"resources":[{"guid":"a"}`)
	f.Fuzz(func(t *testing.T, body string) {
		type element struct{ GUID string }
		got, err := decodePage(strings.NewReader(body), func(e element) string { return e.GUID })
		if err != nil {
			return
		}
		var whole struct{ Resources []element }
		if err := json.Unmarshal([]byte(body), &whole); err != nil {
			t.Fatalf("taken for a page: %q (%v)", body, err)
		}
		once := strings.Count(body, "resources") == 1 && strings.Count(strings.ToLower(body), "resources") == 1 // the last of several counts there
		if once && len(got.elements) != len(whole.Resources) {
			t.Fatalf("%d elements, not %d: %q", len(got.elements), len(whole.Resources), body)
		}
	})
}
