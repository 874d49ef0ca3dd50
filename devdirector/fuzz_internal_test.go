package devdirector

import (
	"net/http"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// FuzzManifest: whatever is submitted, it is refused or its task ends, and it doesn't differ from itself.
func FuzzManifest(f *testing.F) {
	whole := strings.ReplaceAll(defaultSeedManifest, SeedName, "a")
	for _, text := range []string{
		whole, "", "name: x", "- a", "a: [b", "name: [a]", "name: x\nreleases: 1\nstemcells: {}\nupdate:\n", "&a [*a]",
		strings.Replace(whole, "{name: server, release: seeded}", "{name: server, release: seeded, properties: &p {a: [*p]}}", 1),
		strings.Replace(whole, "instances: 1", "instances: 1000000000", 1),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tree, bad := readManifest([]byte(text))
		if bad != nil {
			return
		}
		var o Options
		if err := o.setDefaults(); err != nil {
			t.Fatal(err)
		}
		var s stats
		s.reset()
		w := newWorld(&o, &s)
		made := w.newTask(task{Kind: KindDeploy, Deployment: "a", Work: work{Manifest: text}})
		if made.State != StateDone && made.State != StateError {
			t.Errorf("the task is %s", made.State)
		}
		if lines := newDiffer().trees(tree, tree); len(lines) != 0 {
			t.Errorf("it differs from itself: %v", lines)
		}
		if lines := newDiffer().trees(&yaml.Node{Kind: yaml.MappingNode}, tree); len(lines) == 0 && len(tree.Content) > 0 {
			t.Error("it doesn't differ from nothing")
		}
	})
}

// FuzzRange: a part of a body lies within it.
func FuzzRange(f *testing.F) {
	for _, asked := range []string{"bytes=0-", "bytes=-5", "bytes=2-3", "bytes=9-", "bytes=3-2", "bytes=-0", "bytes=x", "lines=0-"} {
		f.Add(asked)
	}
	f.Fuzz(func(t *testing.T, asked string) {
		whole := "0123456"
		got := response{status: http.StatusOK, body: []byte(whole)}.part(asked)
		switch got.status {
		case http.StatusOK, http.StatusPartialContent:
			if !strings.Contains(whole, string(got.body)) || len(got.body) == 0 {
				t.Errorf("%q is no part of %q", got.body, whole)
			}
		case http.StatusRequestedRangeNotSatisfiable:
		default:
			t.Errorf("status %d", got.status)
		}
	})
}
