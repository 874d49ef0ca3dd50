package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Changes are the paths of the keys that differ between two configurations, in the order of their names: never a value. Keys
// stand where they belong today, whatever deprecated spelling the file has; a list whose length differs is named as a whole.
// The result is never nil.
func Changes(before, after *Config) []string {
	return append([]string{}, changes(reflect.ValueOf(*before), reflect.ValueOf(*after), "")...)
}

func changes(before, after reflect.Value, path string) []string {
	switch {
	case reflect.DeepEqual(before.Interface(), after.Interface()):
		return nil
	case before.Type() == reflect.TypeFor[Secret]():
		return []string{path}
	}
	switch before.Kind() {
	case reflect.Struct:
		return fieldChanges(before, after, path)
	case reflect.Map:
		return entryChanges(before, after, path)
	case reflect.Slice:
		if before.Len() == after.Len() {
			var all []string
			for i := range before.Len() {
				all = append(all, changes(before.Index(i), after.Index(i), fmt.Sprintf("%s[%d]", path, i))...)
			}
			return all
		}
	case reflect.Pointer, reflect.Interface:
		if !before.IsNil() && !after.IsNil() && before.Elem().Type() == after.Elem().Type() {
			return changes(before.Elem(), after.Elem(), path)
		}
	}
	return []string{path}
}

func fieldChanges(before, after reflect.Value, path string) []string {
	known, extra := keysOf(before.Type())
	var all []string
	for _, name := range sortedKeys(known) {
		all = append(all, changes(before.FieldByIndex(known[name]), after.FieldByIndex(known[name]), joinKey(path, name))...)
	}
	if extra != nil {
		all = append(all, changes(before.FieldByIndex(extra), after.FieldByIndex(extra), path)...)
	}
	return all
}

func entryChanges(before, after reflect.Value, path string) []string {
	names := map[string]bool{}
	for _, m := range []reflect.Value{before, after} {
		for _, key := range m.MapKeys() {
			names[key.String()] = true
		}
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		key, at := reflect.ValueOf(name), joinKey(path, name)
		was, is := before.MapIndex(key), after.MapIndex(key)
		if was.IsValid() && is.IsValid() {
			all = append(all, changes(was, is, at)...)
		} else {
			all = append(all, at)
		}
	}
	return all
}
