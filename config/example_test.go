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

// deprecatedKeys are known but not to be taught.
var deprecatedKeys = []string{
	"bosh.authentication.uaa.client_id", "bosh.authentication.uaa.client_secret", "bosh.authentication.uaa.user_credentials",
	"cf.authentication", "service_deployment.stemcell", "resource_limits", "resource_costs", "global_quotas.resources.*.cost",
}

func deprecated(path string) bool {
	for _, key := range deprecatedKeys {
		if path == key || strings.HasPrefix(path, key+".") || strings.HasSuffix(path, "."+key) {
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
	eachKey(reflect.TypeFor[Config](), "", func(path string) {
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
