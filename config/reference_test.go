package config

import (
	"reflect"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// A key that nobody explains is one that operators don't find.
func TestEveryKeyIsExplainedOnce(t *testing.T) {
	t.Parallel()
	explained := map[string]Key{}
	for _, group := range Reference() {
		if group.Title == "" || group.Text == "" {
			t.Errorf("a group without words: %+v", group)
		}
		for _, key := range group.Keys {
			if _, twice := explained[key.Path]; twice {
				t.Errorf("%s is explained twice", key.Path)
			}
			explained[key.Path] = key
			checkWords(t, key)
		}
	}
	known := retiredKeys()
	eachKey(reflect.TypeFor[Config](), "", func(path string, field reflect.StructField) {
		known[path] = ""
		if _, there := explained[path]; !there && !deprecated(path) {
			t.Errorf("%s is not explained: Reference, in reference_*.go, needs it, with a text, an example and, if the existing broker doesn't know it, New", path)
		}
	})
	for path := range explained {
		if _, there := known[path]; !there {
			t.Errorf("%s is explained, and there is no such key", path)
		}
	}
}

// checkWords looks at what is said about a key: a sentence, and an example unless the type says it all.
func checkWords(t *testing.T, key Key) {
	t.Helper()
	if key.Text == "" || !strings.HasSuffix(strings.TrimSuffix(key.Text, ")."), ".") && !strings.HasSuffix(key.Text, ".") {
		t.Errorf("%s: %q is no sentence", key.Path, key.Text)
	}
	switch needless := key.Type == "map" || key.Type == "list of maps" || key.Default == false || key.Instead != ""; {
	case key.Example == "" && !needless:
		t.Errorf("%s has no example", key.Path)
	case key.Example != "":
		var value any
		if err := yaml.Unmarshal([]byte(key.Example), &value); err != nil || value == nil {
			t.Errorf("%s: the example %s: %v", key.Path, key.Example, err)
		}
	}
}
