package config

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestExamplePassesTheCheck(t *testing.T) {
	_, rest, err := Parse("example.yml", Example())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range rest {
		t.Error(p)
	}
}

// deprecated tells whether a key is not to be taught.
func deprecated(path string) bool {
	for _, key := range deprecatedKeys().Keys {
		if path == key.Path || strings.HasPrefix(path, key.Path+".") {
			return true
		}
	}
	return false
}

func TestExampleShowsEveryKey(t *testing.T) {
	text := regexp.MustCompile(`(?m)^( *)#(\S)`).ReplaceAllString(string(Example()), "$1$2")
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		t.Fatalf("with all alternatives switched on: %v", err)
	}
	doc := newDocument("example.yml", []byte(text))
	var c Config
	decode(doc, &root, &c)
	for _, p := range doc.problems {
		t.Error(p)
	}
	shown := map[string]bool{}
	for path := range doc.lines {
		shown[path] = true
	}
	eachKey(reflect.TypeFor[Config](), "", func(path string, _ reflect.StructField) {
		pattern := strings.NewReplacer(`\[\]`, `\[\d+\]`, `\*`, `[\w-]+`).Replace(regexp.QuoteMeta(path))
		matches := regexp.MustCompile("^" + pattern + "$")
		for at := range shown {
			if matches.MatchString(at) {
				return
			}
		}
		if !deprecated(path) {
			t.Errorf("%s is not in the example", path)
		}
	})
}

func TestExampleShowsEverySubcommandOfTheAdapter(t *testing.T) {
	for _, verb := range adapterVerbs() {
		if !strings.Contains(string(Example()), verb+":") {
			t.Errorf("%s is not in the example", verb)
		}
	}
}
