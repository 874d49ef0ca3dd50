package config_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/on-demand-broker/odb/config"
)

// schemaParts gives what of the schema is at a JSON pointer; "" is the whole.
func schemaParts(t testing.TB) func(pointer string) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(config.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("schema.json", document); err != nil {
		t.Fatal(err)
	}
	return func(pointer string) *jsonschema.Schema {
		t.Helper()
		schema, err := compiler.Compile("schema.json#" + pointer)
		if err != nil {
			t.Fatal(err)
		}
		return schema
	}
}

// refusal is what the schema has against a text, which it sees as an editor does; nil if that isn't YAML at all.
func refusal(t *testing.T, schema *jsonschema.Schema, text []byte) (refused error, readable bool) {
	t.Helper()
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return err, false
	}
	asJSON, err := json.Marshal(tree)
	if err != nil {
		return err, false
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		return err, false
	}
	return schema.Validate(value), true
}

// passes tells whether `odb config check` lets a text pass.
func passes(text []byte) bool {
	_, rest, err := config.Parse("broker.yml", text)
	for _, p := range rest {
		if p.Severity != config.Notice {
			return false
		}
	}
	return err == nil
}

// Files that the check fails and the schema doesn't, with what keeps the schema from it.
func beyondASchema() map[string]string {
	const elsewhere, another = "it takes a look at another section", "it takes a look at the other items"
	return map[string]string{
		"binding_async_kept_nowhere":       elsewhere,
		"binding_rotatable_kept_in_memory": elsewhere,
		"global_quotas_without_plans":      elsewhere,
		"plan_quotas_without_plans":        elsewhere,
		"binding_with_dns_name_twice":      another,
		"plan_id_twice":                    another,
		"plan_name_twice":                  another,
		"plan_quotas_deprecated_and_new":   "limits of other kinds may stand beside each other",
		"bosh_ca_unreadable":               "it takes a certificate to be read",
		"worked_example":                   "it takes a certificate to be read",
		"bosh_url_unusable":                "it takes an address to be parsed",
		"instance_group_key_nearly_known":  "other keys are passed on, this one only looks like a slip of the pen",
	}
}

func TestTheSchemaRefusesWhatTheCheckFails(t *testing.T) {
	t.Parallel()
	schema, beyond := schemaParts(t)(""), beyondASchema()
	for _, pattern := range []string{"testdata/*/*.yml", "../examples/*/broker.yml", "../bench/broker.yml", "example.yml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatal(pattern, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name := strings.TrimSuffix(filepath.Base(path), ".yml")
			refused, readable := refusal(t, schema, text)
			reason, listed := beyond[name]
			delete(beyond, name)
			switch right := passes(text); {
			case !readable && !right:
			case right && refused != nil:
				t.Errorf("%s is right, and the schema refuses it: %v", path, refused)
			case !right && refused == nil && !listed:
				t.Errorf("%s is wrong, and the schema lets it pass", path)
			case listed && (right || refused != nil):
				t.Errorf("%s is listed as beyond a schema (%s), and isn't", path, reason)
			}
		}
	}
	for name := range beyond {
		t.Errorf("there is no file %s", name)
	}
}

// What an editor offers must be what it lets pass.
func TestExamplesAndDefaultsAreAsTheSchemaSays(t *testing.T) {
	t.Parallel()
	checked, parts := 0, schemaParts(t)
	var walk func(node any, pointer string)
	walk = func(node any, pointer string) {
		branch, isMap := node.(map[string]any)
		if !isMap {
			return
		}
		offered, _ := branch["examples"].([]any)
		if standard, there := branch["default"]; there {
			offered = append(offered, standard)
		}
		for _, value := range offered {
			checked++
			if err := parts(pointer).Validate(value); err != nil {
				t.Errorf("%s: %v", pointer, err)
			}
		}
		properties, _ := branch["properties"].(map[string]any)
		for name, below := range properties {
			walk(below, pointer+"/properties/"+name)
		}
		walk(branch["items"], pointer+"/items")
		walk(branch["additionalProperties"], pointer+"/additionalProperties")
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(config.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	walk(document, "")
	if checked < 100 {
		t.Errorf("only %d examples and defaults were found", checked)
	}
}
