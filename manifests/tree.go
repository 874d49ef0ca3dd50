package manifests

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"
)

// node is one value of a manifest with anchors, aliases and merge keys resolved. Aliases share the node that they
// refer to, so a tree takes no more memory than its text.
type node struct {
	scalar          // kind and, of a scalar, its value; of a collection, text is its tag if it has a special one
	line   int      // where it is written, from 1
	items  []*node  // of a sequence
	fields []*field // of a mapping, sorted by key

	size  int // nodes if every alias were written out
	depth int
}

type field struct {
	key   scalar
	line  int
	value *node
}

// child returns the value of a text key, nil if there is none or n isn't a mapping.
func (n *node) child(key string) *node {
	if n == nil {
		return nil
	}
	at, found := slices.BinarySearchFunc(n.fields, scalar{textKind, key}, func(f *field, key scalar) int {
		return compareKeys(f.key, key)
	})
	if !found {
		return nil
	}
	return n.fields[at].value
}

func (n *node) asText() (string, bool) {
	if n == nil {
		return "", false
	}
	return n.scalar.asText()
}

func (n *node) isScalar() bool { return n.kind != mappingKind && n.kind != sequenceKind }

func compareKeys(a, b scalar) int {
	switch {
	case a == b:
		return 0
	case a.less(b):
		return -1
	default:
		return 1
	}
}

const (
	maxAliased = 100_000 // nodes that aliases may add to what is written
	maxDepth   = 500
)

type treeBuilder struct {
	maxSize  int
	merged   int // fields copied by merge keys so far
	anchored map[*yaml.Node]*node
}

// buildTree resolves a parsed document of so many bytes.
func buildTree(root *yaml.Node, bytes int) (*node, error) {
	// A node takes at least a byte, so that only aliases can exceed this.
	b := &treeBuilder{maxSize: bytes + maxAliased}
	return b.build(root, 0)
}

func (b *treeBuilder) build(n *yaml.Node, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, tooDeep(n)
	}
	if n.Kind == yaml.AliasNode {
		return b.alias(n, depth)
	}
	if n.Anchor == "" {
		return b.resolve(n, depth)
	}
	if known := b.anchored[n]; known != nil {
		return known, nil
	}
	if b.anchored == nil {
		b.anchored = map[*yaml.Node]*node{}
	}
	b.anchored[n] = nil // known, but not built yet
	built, err := b.resolve(n, depth)
	if err != nil {
		return nil, err
	}
	b.anchored[n] = built
	return built, nil
}

func (b *treeBuilder) alias(n *yaml.Node, depth int) (*node, error) {
	target, begun := b.anchored[n.Alias]
	if begun && target == nil {
		return nil, &SyntaxError{Line: n.Line, What: "an alias (*…) stands inside the value that it refers to"}
	}
	if target == nil {
		return b.build(n.Alias, depth)
	}
	return target, nil
}

func tooDeep(n *yaml.Node) error {
	return &SyntaxError{Line: n.Line, What: fmt.Sprintf("nested more than %d levels deep", maxDepth)}
}

func (b *treeBuilder) resolve(n *yaml.Node, depth int) (*node, error) {
	built := &node{line: n.Line, size: 1}
	var err error
	switch n.Kind {
	case yaml.ScalarNode:
		built.scalar = scalarOf(n)
		return built, nil
	case yaml.SequenceNode:
		built.scalar = scalar{sequenceKind, specialTag(n, "!!seq")}
		err = b.fillSequence(built, n, depth)
	default:
		built.scalar = scalar{mappingKind, specialTag(n, "!!map")}
		err = b.fillMapping(built, n, depth)
	}
	if err != nil {
		return nil, err
	}
	if built.size > b.maxSize {
		return nil, tooManyAliases(n)
	}
	if built.depth > maxDepth {
		return nil, tooDeep(n)
	}
	return built, nil
}

func tooManyAliases(n *yaml.Node) error {
	return &SyntaxError{Line: n.Line, What: fmt.Sprintf("aliases add more than %d values", maxAliased)}
}

func specialTag(n *yaml.Node, usual string) string {
	if tag := n.ShortTag(); tag != usual && tag != "!" {
		return tag
	}
	return ""
}

func (built *node) contain(child *node) {
	built.size += child.size
	built.depth = max(built.depth, child.depth+1)
}

func (b *treeBuilder) fillSequence(built *node, n *yaml.Node, depth int) error {
	built.items = make([]*node, len(n.Content))
	for i, content := range n.Content {
		item, err := b.build(content, depth+1)
		if err != nil {
			return err
		}
		built.items[i] = item
		built.contain(item)
	}
	return nil
}

func (b *treeBuilder) fillMapping(built *node, n *yaml.Node, depth int) error {
	written := make([]field, 0, len(n.Content)/2)
	built.fields = make([]*field, 0, len(n.Content)/2)
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.ScalarNode && key.Tag == "!!merge" {
			merges = append(merges, value)
			continue
		}
		name, err := keyOf(key)
		if err != nil {
			return err
		}
		child, err := b.build(value, depth+1)
		if err != nil {
			return err
		}
		built.contain(child)
		written = append(written, field{key: name, line: key.Line, value: child})
		built.fields = append(built.fields, &written[len(written)-1])
	}
	slices.SortStableFunc(built.fields, func(a, b *field) int { return compareKeys(a.key, b.key) })
	for i := 1; i < len(built.fields); i++ {
		if first, again := built.fields[i-1], built.fields[i]; first.key == again.key {
			return &SyntaxError{Line: again.line, What: fmt.Sprintf("the key %s stands twice in one mapping, first in line %d", pathKey(again.key), first.line)}
		}
	}
	for _, merge := range merges {
		if err := b.merge(built, merge, depth); err != nil {
			return err
		}
	}
	return nil
}

func keyOf(key *yaml.Node) (scalar, error) {
	target := key
	if key.Kind == yaml.AliasNode {
		target = key.Alias
	}
	if target.Kind != yaml.ScalarNode {
		return scalar{}, &SyntaxError{Line: key.Line, What: "a key must be a single value, not a " + yamlKind(target)}
	}
	return scalarOf(target), nil
}

// merge adds the fields of a merge key's mapping, or of each mapping in its list. What is there already stays:
// written keys come before merged ones, and the first in a list before the later ones (YAML's merge type).
func (b *treeBuilder) merge(built *node, from *yaml.Node, depth int) error {
	source, err := b.build(from, depth+1)
	if err != nil {
		return err
	}
	sources := []*node{source}
	if source.kind == sequenceKind {
		sources = source.items
	}
	for _, s := range sources {
		if s.kind != mappingKind {
			return &SyntaxError{Line: from.Line, What: "a merge key (<<) needs a mapping or a list of mappings"}
		}
		if b.merged += len(s.fields) + len(built.fields); b.merged > b.maxSize {
			return tooManyAliases(from)
		}
		built.adopt(s.fields)
	}
	return nil
}

// adopt adds those fields whose keys n hasn't; both lists are sorted, and so is the result.
func (n *node) adopt(more []*field) {
	all := make([]*field, 0, len(n.fields)+len(more))
	for own := n.fields; len(own)+len(more) > 0; {
		order := -1
		switch {
		case len(own) == 0:
			order = 1
		case len(more) > 0:
			order = compareKeys(own[0].key, more[0].key)
		}
		if order <= 0 {
			all, own = append(all, own[0]), own[1:]
			if order == 0 {
				more = more[1:]
			}
			continue
		}
		n.contain(more[0].value)
		all, more = append(all, more[0]), more[1:]
	}
	n.fields = all
}
