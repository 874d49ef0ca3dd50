package boshrelease_test

import (
	"fmt"
	"slices"
	"strings"
)

// operation is one of an operations file: https://bosh.io/docs/cli-ops-files/.
type operation struct {
	Type  string
	Path  string
	Value any
}

// apply changes a manifest as the bosh CLI does, as far as the files here need it.
func (o operation) apply(manifest any) (any, error) {
	if o.Type != "replace" {
		return nil, fmt.Errorf("%s: no operation %q is known here", o.Path, o.Type)
	}
	changed, err := o.replaced(manifest, strings.Split(strings.TrimPrefix(o.Path, "/"), "/"), false)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Path, err)
	}
	return changed, nil
}

// replaced is a tree with the value at the end of a path. What is missing on the way is made from the first key on that has a
// question mark.
func (o operation) replaced(tree any, path []string, optional bool) (any, error) {
	if len(path) == 0 {
		return o.Value, nil
	}
	key, marked := strings.CutSuffix(path[0], "?")
	optional = optional || marked
	name, value, byValue := strings.Cut(key, "=")
	switch {
	case key == "-":
		list, isList := tree.([]any)
		if !isList || len(path) > 1 {
			return nil, fmt.Errorf("%s is not at the end of a list", key)
		}
		return append(slices.Clone(list), o.Value), nil
	case byValue:
		return o.replacedItem(tree, name, value, path[1:], optional)
	}
	branch, isMap := tree.(map[string]any)
	if branch == nil && (tree == nil && optional) {
		branch, isMap = map[string]any{}, true
	}
	below, there := branch[key]
	if !isMap || !there && !optional {
		return nil, fmt.Errorf("there is no %s", key)
	}
	changed, err := o.replaced(below, path[1:], optional)
	branch[key] = changed
	return branch, err
}

func (o operation) replacedItem(tree any, name, value string, path []string, optional bool) (any, error) {
	list, _ := tree.([]any)
	for i, item := range list {
		if fields, _ := item.(map[string]any); fields[name] == value {
			changed, err := o.replaced(item, path, optional)
			list[i] = changed
			return list, err
		}
	}
	return nil, fmt.Errorf("there is nothing with %s=%s", name, value)
}
