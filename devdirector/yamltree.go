package devdirector

import (
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// child is the value of a key in a YAML hash, nil if there is none.
func child(hash *yaml.Node, key string) *yaml.Node {
	if hash == nil || hash.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(hash.Content); i += 2 {
		if hash.Content[i].Value == key {
			return resolve(hash.Content[i+1])
		}
	}
	return nil
}

// resolve follows an alias to what it stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// sameTree tells whether two YAML trees mean the same; the order of a hash's keys doesn't count.
func sameTree(a, b *yaml.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	a, b = resolve(a), resolve(b)
	if a == b {
		return true
	}
	if a.Kind != b.Kind || len(a.Content) != len(b.Content) {
		return false
	}
	switch a.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(a.Content); i += 2 {
			other := child(b, a.Content[i].Value)
			if other == nil || !sameTree(a.Content[i+1], other) {
				return false
			}
		}
		return true
	case yaml.SequenceNode:
		for i := range a.Content {
			if !sameTree(a.Content[i], b.Content[i]) {
				return false
			}
		}
		return true
	}
	return a.Value == b.Value && a.ShortTag() == b.ShortTag()
}

func walkScalars(n *yaml.Node, visit func(text string)) {
	n = resolve(n)
	if n.Kind == yaml.ScalarNode {
		visit(n.Value)
		return
	}
	for _, c := range n.Content {
		walkScalars(c, visit)
	}
}

// rubyInspect prints a tree as Ruby's inspect does; some of the Director's messages contain that.
func rubyInspect(n *yaml.Node) string {
	n = resolve(n)
	var parts []string
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			parts = append(parts, rubyInspect(n.Content[i])+"=>"+rubyInspect(n.Content[i+1]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case yaml.SequenceNode:
		for _, c := range n.Content {
			parts = append(parts, rubyInspect(c))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	switch n.ShortTag() {
	case "!!str":
		return rubyString(n.Value)
	case "!!null":
		return "nil"
	}
	return n.Value
}

func rubyString(s string) string { return strconv.Quote(s) }
