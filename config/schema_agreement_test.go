package config_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/on-demand-broker/odb/config"
)

// change is one thing done to a file: at one place another value, none, or a key more.
type change struct {
	path  string
	what  string
	apply func()
	undo  func()
}

// changesOf are all changes of a tree, each with how it is undone.
func changesOf(tree map[string]any, path string) []change {
	unknown := change{path: path, what: "an unknown key", apply: func() { tree["zzz"] = "z" }, undo: func() { delete(tree, "zzz") }}
	all := []change{unknown}
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		at, was := path+"."+key, tree[key]
		undo := func() { tree[key] = was }
		all = append(all, change{at, "nothing", func() { delete(tree, key) }, undo})
		for _, value := range []any{nil, "", "text", true, 7, -1, 1.5, []any{}, []any{nil}, []any{"text"}, map[string]any{}, map[string]any{"zzz": "z"}} {
			all = append(all, change{at, fmt.Sprintf("%#v", value), func() { tree[key] = value }, undo})
		}
		switch value := was.(type) {
		case map[string]any:
			all = append(all, changesOf(value, at)...)
		case []any:
			for i, item := range value {
				if branch, isMap := item.(map[string]any); isMap {
					all = append(all, changesOf(branch, fmt.Sprintf("%s[%d]", at, i))...)
				}
			}
		}
	}
	return all
}

// FuzzTheSchemaAgreesWithTheCheck takes away each key of a right file, and gives it every kind of value: schema and check must say the
// same. What it begins with is every eleventh change, so that each key and each value is there; fuzzing goes through the others.
func FuzzTheSchemaAgreesWithTheCheck(f *testing.F) {
	schema := schemaParts(f)("")
	var tree map[string]any
	if err := yaml.Unmarshal(config.Example(), &tree); err != nil {
		f.Fatal(err)
	}
	changes := changesOf(tree, "")
	for i := 0; i < len(changes); i += 11 {
		f.Add(uint16(i))
	}
	beyond := []string{".service_catalog.plans[0].binding.async", ".service_catalog.plans[0].binding.rotatable"} // true takes a look at other sections
	f.Fuzz(func(t *testing.T, which uint16) {
		change := changes[int(which)%len(changes)]
		change.apply()
		defer change.undo()
		changed, err := json.Marshal(tree) // it is YAML, too
		if err != nil {
			t.Fatal(err)
		}
		refused := schema.Validate(tree)
		if right := passes(changed); right != (refused == nil) && !slices.Contains(beyond, change.path) {
			t.Errorf("%s: %s: the check says %t, the schema %v", change.path, change.what, right, refused)
		}
	})
}
