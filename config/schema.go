package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// Schema is a JSON Schema (draft 2020-12, of which it uses what draft 07 has, too) of broker.yml, for editors. It is made of the types and
// of Reference. A file that `odb config check` fails for its shape – a key that there isn't, a value of the wrong kind, something that is
// missing – the schema refuses, too; what takes more than a look at neighbouring keys, it leaves to the check.
func Schema() []byte {
	s := schemaWriter{keys: map[string]Key{}}
	for _, group := range Reference() {
		for _, key := range group.Keys {
			s.keys[key.Path] = key
		}
	}
	whole := s.object(reflect.TypeFor[Config](), "")
	whole["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	whole["title"] = "broker.yml"
	whole["description"] = "The configuration of an on-demand service broker; `odb config check` checks more of it than a schema can say."
	whole["allOf"] = acrossSections()
	return encoded(whole)
}

func encoded(value any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(value); err != nil {
		panic(fmt.Sprintf("the tables of this package hold something that JSON can't say: %v", err)) // only a change of them can bring this about
	}
	return text.Bytes()
}

// schemaWriter turns types into schemas, with what is said about their keys.
type schemaWriter struct{ keys map[string]Key }

// key is the schema of what stands at a key.
func (s schemaWriter) key(field reflect.StructField, path string) rule {
	key := s.keys[path]
	schema := s.value(field.Type, field.Tag.Get("unit"), path)
	switch {
	case key.Values != nil:
		schema = oneOf(key.Values...)
		schema["enum"] = append(schema["enum"].([]any), "", nil)
	case !key.Needed:
		nullable(schema)
	case field.Type.Kind() == reflect.Slice:
		schema["minItems"] = 1
	case field.Type.Kind() == reflect.String || field.Type == reflect.TypeFor[Secret]():
		schema["minLength"] = 1
	}
	if items, isList := schema["items"].(rule); isList && key.nullItems {
		nullable(items)
	}
	if key.rules != nil {
		schema["allOf"] = key.rules
	}
	s.describe(schema, key)
	return schema
}

// describe adds what readers are told.
func (s schemaWriter) describe(schema rule, key Key) {
	if key.Text != "" {
		schema["description"] = key.Meaning()
	}
	if key.Instead != "" {
		schema["deprecated"] = true
	}
	if key.Default != nil {
		schema["default"] = key.Default
	}
	if key.Example != "" {
		var example any
		if err := yaml.Unmarshal([]byte(key.Example), &example); err == nil {
			schema["examples"] = []any{example}
		}
	}
}

// value is the schema of a type's values, without null.
func (s schemaWriter) value(t reflect.Type, unit, path string) rule {
	switch {
	case t.Kind() == reflect.Pointer:
		return s.value(t.Elem(), unit, path)
	case t == reflect.TypeFor[Secret]():
		return textual()
	case t == reflect.TypeFor[Disabled]():
		return rule{"type": []string{"boolean", "string"}, "pattern": `^(true|false|` + booleanWords + `)$`}
	case unit != "":
		return rule{"type": []string{"integer"}}
	case t == durationType:
		return rule{"type": []string{"string"}, "pattern": `^\+?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$`, "not": rule{"type": "string", "pattern": `^[^1-9]*$`}}
	}
	switch t.Kind() {
	case reflect.Interface:
		return rule{}
	case reflect.Struct:
		return s.object(t, path)
	case reflect.Map:
		return s.entries(t, path)
	case reflect.Slice:
		return rule{"type": []string{"array"}, "items": s.element(t.Elem(), path+"[]")}
	case reflect.Bool:
		return rule{"type": []string{"boolean", "string"}, "pattern": `^(` + booleanWords + `)$`}
	case reflect.Int:
		return rule{"type": []string{"integer"}}
	case reflect.Float64:
		return rule{"type": []string{"number"}}
	default:
		return textual()
	}
}

// element is the schema of what stands in a list or a map: null is nothing there, except where a map of keys is wanted.
func (s schemaWriter) element(t reflect.Type, path string) rule {
	schema := s.value(t, "", path)
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[Secret]() {
		nullable(schema)
	}
	return schema
}

func (s schemaWriter) entries(t reflect.Type, path string) rule {
	schema := rule{"type": []string{"object"}}
	if t.Elem().Kind() != reflect.Interface {
		values := s.value(t.Elem(), "", path+".*")
		nullable(values)
		schema["additionalProperties"] = values
	}
	return schema
}

// object is the schema of a struct.
func (s schemaWriter) object(t reflect.Type, path string) rule {
	properties, required := rule{}, []string{}
	known, extra := keysOf(t)
	for _, name := range sortedKeys(known) {
		at := joinKey(path, name)
		properties[name] = s.key(t.FieldByIndex(known[name]), at)
		if s.keys[at].Needed {
			required = append(required, name)
		}
	}
	for retired := range retiredKeys() {
		if parentPath(retired) == path {
			properties[strings.TrimPrefix(retired, path+".")] = s.retired(retired)
		}
	}
	schema := rule{"type": []string{"object"}, "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	if extra == nil {
		schema["additionalProperties"] = false
	}
	return schema
}

func (s schemaWriter) retired(path string) rule {
	schema := rule{}
	s.describe(schema, s.keys[path])
	return schema
}

// booleanWords are those of YAML 1.1, which editors that read YAML 1.2 take for text.
const booleanWords = "y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF"

// textual is text, and what YAML takes for something else unless it is quoted.
func textual() rule { return rule{"type": []string{"string", "number", "boolean"}} }

// nullable lets a schema take null, which means that nothing is configured.
func nullable(schema rule) {
	if types, typed := schema["type"].([]string); typed {
		schema["type"] = append(types, "null")
	}
}
