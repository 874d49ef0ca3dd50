package manifests

import "strconv"

// PendingChange compares what the adapter makes today with what is deployed and writes what differs, a line for each
// value, in an order that doesn't depend on how the texts are laid out; "" means no difference:
//
//   - instance_groups[name=redis].vm_type: small
//   - instance_groups[name=redis].vm_type: large
//
// (the second line begins with +). Identical texts are not parsed. An error is a *SyntaxError, wrapped with which of the
// two it is about.
//
// Values are shown only where BOSH defines what they are: everything under properties, env and options and every key
// that isn't known is <redacted>, and no more than the path is told. At most 200 lines, then their number.
//
// Every key counts, known to BOSH or not, and so does the order of lists. These don't count: formatting, quoting,
// the order of keys, anchors; `update` at the top and of instance groups; among the keys that BOSH defines, whether
// a key is absent, null or an empty collection, and whether a text that looks like a number is quoted. Inside
// properties, env, options, tags, links and keys that aren't known, absent differs from null and 1 from "1".
// 1 and 1.0 differ everywhere, since templates print them differently.
func PendingChange(regenerated, deployed string) (string, error) {
	if regenerated == deployed {
		return "", nil
	}
	from, err := parseNamed("deployed", deployed)
	if err != nil {
		return "", err
	}
	to, err := parseNamed("regenerated", regenerated)
	if err != nil {
		return "", err
	}
	return diff(from, to), nil
}

// change is one difference: from or to is nil where there is nothing.
type change struct {
	path     location
	rule     rule
	from, to *node
	orderBy  string // if set, only the order differs of the elements that both lists have; the key that names them
}

// step is one step of a path: a key, an element by its name, or, if by is "", an element by its index.
type step struct {
	key   *scalar
	by    string
	name  string
	index int
}

type location []step

// comparison walks two trees side by side. Fields are sorted, so one pass over each mapping suffices.
type comparison struct {
	report func(change)
	path   location // of the values being compared
}

func (c *comparison) roots(from, to *Manifest) {
	c.values(from.root, to.root, rule{area: areaDeployment})
}

func (c *comparison) differ(from, to *node, r rule) {
	c.report(change{path: c.path, rule: r, from: from, to: to})
}

func (c *comparison) values(from, to *node, r rule) {
	switch {
	case from == nil || to == nil || from.kind != to.kind && !(from.isScalar() && to.isScalar()):
		c.differ(from, to, r)
	case from.isScalar():
		if !sameScalar(from.scalar, to.scalar, r) {
			c.differ(from, to, r)
		}
	case from.text != to.text: // !!set, !!omap and other special collections
		c.differ(from, to, r)
	case from.kind == mappingKind:
		c.mappings(from, to, r.area)
	default:
		c.sequences(from, to, r)
	}
}

func sameScalar(a, b scalar, r rule) bool {
	if a == b {
		return true
	}
	if !r.text {
		return false
	}
	textOfA, isTextA := a.asText()
	textOfB, isTextB := b.asText()
	return isTextA && isTextB && textOfA == textOfB
}

func (c *comparison) mappings(from, to *node, in area) {
	left, right := from.fields, to.fields
	for len(left)+len(right) > 0 {
		order := 0
		switch {
		case len(left) == 0:
			order = 1
		case len(right) == 0:
			order = -1
		default:
			order = compareKeys(left[0].key, right[0].key)
		}
		var f, t *field
		if order <= 0 {
			f, left = left[0], left[1:]
		}
		if order >= 0 {
			t, right = right[0], right[1:]
		}
		c.fields(f, t, in)
	}
}

func (c *comparison) fields(from, to *field, in area) {
	var key *scalar
	var fromValue, toValue *node
	if from != nil {
		key, fromValue = &from.key, from.value
	}
	if to != nil {
		key, toValue = &to.key, to.value
	}
	if in.ignoresUpdate() && *key == (scalar{textKind, "update"}) {
		return
	}
	r := in.rule(*key)
	if r.optional && isEmpty(fromValue, r.area) && isEmpty(toValue, r.area) {
		return
	}
	c.below(step{key: key}, fromValue, toValue, r)
}

func (c *comparison) below(s step, from, to *node, r rule) {
	c.path = append(c.path, s)
	c.values(from, to, r)
	c.path = c.path[:len(c.path)-1]
}

// isNothing is true for what is absent, null or an empty collection.
func isNothing(n *node) bool {
	return n == nil || n.kind == nullKind || !n.isScalar() && len(n.items)+len(n.fields) == 0
}

// isEmpty is true for nothing, and for a mapping that has only optional keys with nothing in them.
func isEmpty(n *node, in area) bool {
	if isNothing(n) {
		return true
	}
	if n.kind != mappingKind {
		return false
	}
	for _, f := range n.fields {
		if r := in.rule(f.key); !r.optional || !isEmpty(f.value, r.area) {
			return false
		}
	}
	return true
}

func (c *comparison) sequences(from, to *node, r rule) {
	if onlyScalars(from) && onlyScalars(to) {
		c.scalarLists(from, to, r)
		return
	}
	if by := namedBy(from, to, r.area); by != "" {
		c.namedElements(from, to, r, by)
		return
	}
	for i := range max(len(from.items), len(to.items)) {
		var f, t *node
		if i < len(from.items) {
			f = from.items[i]
		}
		if i < len(to.items) {
			t = to.items[i]
		}
		c.below(step{index: i}, f, t, r)
	}
}

func onlyScalars(n *node) bool {
	for _, item := range n.items {
		if !item.isScalar() {
			return false
		}
	}
	return true
}

// scalarLists reports a list of scalars as a whole: azs [z1] → [z1, z2] reads better than its elements.
func (c *comparison) scalarLists(from, to *node, r rule) {
	same := len(from.items) == len(to.items)
	for i := 0; same && i < len(from.items); i++ {
		same = sameScalar(from.items[i].scalar, to.items[i].scalar, r)
	}
	if !same {
		c.differ(from, to, r)
	}
}

// namedBy is the key that names each element of both lists uniquely, "" if there is none. In unknown areas a name
// may be a secret and stands in no path, so there elements go by index.
func namedBy(from, to *node, in area) string {
	if in == areaUnknown {
		return ""
	}
	for _, key := range []string{"name", "alias"} {
		if in.textKey(key) && uniqueNames(from, key) && uniqueNames(to, key) {
			return key
		}
	}
	return ""
}

func uniqueNames(n *node, key string) bool {
	seen := make(map[string]bool, len(n.items))
	for _, item := range n.items {
		name, isText := item.child(key).asText()
		if !isText || seen[name] {
			return false
		}
		seen[name] = true
	}
	return true
}

// namedElements compares elements of the same name, then says if those that both lists have changed places.
func (c *comparison) namedElements(from, to *node, r rule, by string) {
	inTo := make(map[string]*node, len(to.items))
	for _, item := range to.items {
		name, _ := item.child(by).asText()
		inTo[name] = item
	}
	var kept []string
	for _, item := range from.items {
		name, _ := item.child(by).asText()
		if inTo[name] != nil {
			kept = append(kept, name)
		}
		c.below(step{by: by, name: name}, item, inTo[name], r)
		delete(inTo, name)
	}
	reordered := false
	for _, item := range to.items {
		name, _ := item.child(by).asText()
		if inTo[name] != nil {
			c.below(step{by: by, name: name}, nil, item, r)
			continue
		}
		reordered = reordered || kept[0] != name
		kept = kept[1:]
	}
	if reordered {
		c.report(change{path: c.path, rule: r, from: from, to: to, orderBy: by})
	}
}

func (p location) String() string {
	var written []byte
	for _, s := range p {
		switch {
		case s.key != nil:
			if len(written) > 0 {
				written = append(written, '.')
			}
			written = append(written, pathKey(*s.key)...)
		case s.by != "":
			written = append(written, "["+s.by+"="+plainOrQuoted(s.name)+"]"...)
		default:
			written = append(written, "["+strconv.Itoa(s.index)+"]"...)
		}
	}
	return string(written)
}
