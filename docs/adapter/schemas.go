// Package adapter holds the JSON Schemas of the adapter protocol's messages, which docs/ADAPTER.md describes, and checks
// messages against them: tests hold the broker, the examples of that page and the schemas to one another. It knows nothing of
// how messages are sent.
package adapter

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

//go:embed *.schema.json
var files embed.FS

const (
	suffix = ".schema.json"
	// address is what the schemas' references to one another are resolved against.
	address = "odb:///"
	// values is the file that describes no message, but what messages are made of.
	values = "values"
)

// Messages checks messages, whose kinds are named SUBCOMMAND.stdin, SUBCOMMAND.arguments and SUBCOMMAND.output.
type Messages struct{ kinds map[string]*jsonschema.Schema }

// Published are the schemas as adapter authors have them: what later versions may add is allowed.
func Published() (*Messages, error) { return compile(func(any) {}) }

// Exact are the schemas of what is sent now: objects that may get members later have none but those that are listed.
func Exact() (*Messages, error) { return compile(closeObjects) }

// Kinds lists the kinds of messages, in order.
func (m *Messages) Kinds() []string {
	var kinds []string
	for kind := range m.kinds {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// Check tells what is wrong with a message, a JSON text. Its errors quote parts of the message.
func (m *Messages) Check(kind string, message []byte) error {
	schema := m.kinds[kind]
	if schema == nil {
		return fmt.Errorf("there is no kind of message %q", kind)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(message))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	return nil
}

func compile(change func(schema any)) (*Messages, error) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertContent()
	compiler.AssertFormat()
	compiler.RegisterContentMediaType(&jsonschema.MediaType{Name: "application/yaml", Validate: checkYAML, UnmarshalJSON: readYAML})
	names, err := fs.Glob(files, "*"+suffix)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		change(schema)
		if err := compiler.AddResource(address+name, schema); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	messages := &Messages{kinds: map[string]*jsonschema.Schema{}}
	for _, name := range names {
		compiled, err := compiler.Compile(address + name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if kind := strings.TrimSuffix(name, suffix); kind != values {
			messages.kinds[kind] = compiled
		}
	}
	return messages, nil
}

// closeObjects keeps members that a schema doesn't list out of all objects of which it doesn't say itself which others there may be.
func closeObjects(schema any) {
	object, isObject := schema.(map[string]any)
	if !isObject { // true or false
		return
	}
	for keyword, value := range object {
		switch keyword {
		case "properties", "$defs": // schemas by name
			for _, inner := range value.(map[string]any) {
				closeObjects(inner)
			}
		case "anyOf", "prefixItems":
			for _, inner := range value.([]any) {
				closeObjects(inner)
			}
		case "items", "contentSchema", "additionalProperties", "not":
			closeObjects(value)
		}
	}
	if _, listed := object["properties"]; listed && object["additionalProperties"] == nil {
		object["additionalProperties"] = false
	}
}

func checkYAML(text []byte) error {
	var value any
	return yaml.Unmarshal(text, &value)
}

// readYAML gives YAML the form that schemas are about.
func readYAML(text []byte) (any, error) {
	var value any
	if err := yaml.Unmarshal(text, &value); err != nil {
		return nil, err
	}
	asJSON, err := json.Marshal(withNames(value))
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
}

// withNames has texts as keys of all mappings: JSON has no others.
func withNames(value any) any {
	switch value := value.(type) {
	case []any:
		for i, item := range value {
			value[i] = withNames(item)
		}
	case map[string]any:
		for key, item := range value {
			value[key] = withNames(item)
		}
	case map[any]any:
		named := make(map[string]any, len(value))
		for key, item := range value {
			named[fmt.Sprint(key)] = withNames(item)
		}
		return named
	}
	return value
}
