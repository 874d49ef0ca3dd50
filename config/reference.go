package config

import (
	"cmp"
	"reflect"
	"strings"
	"time"
)

// Group is a part of broker.yml that is explained together.
type Group struct {
	Title string
	Text  string
	Keys  []Key
}

// Key is what there is to say about one key of broker.yml. What it takes is told by the Go types, what it is for by the tables of
// Reference; that both have the same keys is tested.
type Key struct {
	// Path names the key as problems do, with [] for the items of lists and * for names that are the operator's.
	Path string
	// Text says what the key is for, in Markdown.
	Text string
	// Default is what holds without the key; nil if nothing does, or Text says what.
	Default any
	// Example is a value in YAML, on one line.
	Example string
	// Values are all that the key takes; nil if they can't be listed.
	Values []string
	// Needed keys can't be left out wherever the section that they are in is.
	Needed bool
	// New keys are not known to the existing broker.
	New bool
	// Instead says what to write in place of a key that is deprecated; Nothing if it has no effect.
	Instead string
	// Type says in words what the key takes.
	Type string

	nullItems bool   // items that are null count as not there
	rules     []rule // what else a schema has to say about the value
}

// Nothing takes the place of a key that can be removed.
const Nothing = "nothing"

// Meaning is what a key is for and, if it is deprecated, what to do about it.
func (k Key) Meaning() string {
	switch k.Instead {
	case "":
		return k.Text
	case Nothing:
		return k.Text + " Remove it."
	default:
		return k.Text + " Use " + k.Instead + " instead."
	}
}

// Reference explains broker.yml: every key that there is, in an order made for reading. Keys below a deprecated one are not
// explained one by one.
func Reference() []Group {
	groups := []Group{
		brokerAddress(), brokerBehaviour(), director(), cloudFoundry(), instancesAPI(), platformCredHub(), directorCredHub(), adapter(),
		deployments(), offering(), offeringLimits(), plans(), planLimits(), planDeployment(), planErrands(), planBindings(), deprecatedKeys(),
	}
	types := map[string]reflect.StructField{}
	eachKey(reflect.TypeFor[Config](), "", func(path string, field reflect.StructField) { types[path] = field })
	for _, group := range groups {
		for i, key := range group.Keys {
			if field, known := types[key.Path]; known {
				group.Keys[i].Type = cmp.Or(key.Type, typeName(field.Type, field.Tag.Get("unit")))
				if field.Type.Kind() == reflect.Bool && !key.Needed {
					group.Keys[i].Default = false
				}
			}
		}
	}
	return groups
}

// below gives keys a common beginning.
func below(path string, keys ...Key) []Key {
	for i := range keys {
		if keys[i].Path != "" && keys[i].Path[0] != '[' {
			keys[i].Path = "." + keys[i].Path
		}
		keys[i].Path = path + keys[i].Path
	}
	return keys
}

// typeName says in words what a key of a type takes.
func typeName(t reflect.Type, unit string) string {
	switch {
	case t == reflect.TypeFor[Secret]():
		return "text, a secret"
	case unit != "":
		return "whole number of " + unit
	case t == durationType:
		return "duration, like `30s` or `5m`"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem(), unit)
	case reflect.Slice:
		return "list of " + map[bool]string{true: "text", false: "maps"}[t.Elem().Kind() == reflect.String]
	case reflect.Map:
		if element := t.Elem(); element.Kind() != reflect.Interface && element.Kind() != reflect.Struct || element == reflect.TypeFor[Secret]() {
			return "map of names to " + typeName(element, unit)
		}
		return "map"
	case reflect.Struct:
		return "map"
	case reflect.Int:
		return "whole number"
	case reflect.Float64:
		return "number"
	case reflect.Bool:
		return "true or false"
	default:
		return "text"
	}
}

// retiredKeys are those that the existing broker accepts and that do nothing, with the reason.
func retiredKeys() map[string]string {
	return map[string]string{
		"broker.enable_optimised_upgrades": "upgrades of several instances are steered by the errand's own settings",
		"bosh.authentication.uaa.url":      "the Director itself says where its UAA is",
	}
}

// spelt is a duration as broker.yml spells it: 5m, not 5m0s.
func spelt(d time.Duration) string {
	text := d.String()
	for _, nothing := range []string{"0s", "0m"} {
		if rest := strings.TrimSuffix(text, nothing); strings.HasSuffix(rest, "m") || strings.HasSuffix(rest, "h") {
			text = rest
		}
	}
	return text
}
