package config

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// maxAliased bounds what aliases may blow a file up to; a broker.yml of a hundred plans has some thousand values.
const maxAliased = 100_000

var durationType = reflect.TypeFor[time.Duration]()

// decoder lays a YAML tree over typed structs, whose yaml tags are the table of known keys. It reports what doesn't fit
// and goes on, and notes the line of all it passes, so that checks can be written over the plain structs afterwards.
type decoder struct {
	doc     *document
	table   reflect.Type        // of the whole file
	open    map[*yaml.Node]bool // anchored nodes being decoded: an alias to one of them has no end
	aliases int                 // how many aliases we are inside of
	aliased int                 // how many nodes were reached through aliases
}

// decode lays the file over the struct that into points to. It reports whether the file was a map at all (or empty), so
// that checks make sense.
func decode(doc *document, root *yaml.Node, into any) bool {
	whole := reflect.ValueOf(into).Elem()
	d := &decoder{doc: doc, table: whole.Type(), open: map[*yaml.Node]bool{}}
	if len(root.Content) == 0 {
		return true
	}
	top := root.Content[0]
	if isNull(top) {
		return true
	}
	if top.Kind != yaml.MappingNode {
		doc.report(top.Line, "", Error, "is not a map of sections", doc.format.advice)
		return false
	}
	d.value(top, whole, section{doc: doc})
	return true
}

// refuse reports that a value doesn't fit. Checks then need not say that it is missing.
func (d *decoder) refuse(n *yaml.Node, at section, what, want string) {
	d.doc.broken[at.path] = true
	d.doc.report(n.Line, at.path, Error, what, want)
}

// enter follows aliases. Every successful enter needs a leave.
func (d *decoder) enter(n *yaml.Node, at section) (target *yaml.Node, ok bool) {
	target = n
	if n.Kind == yaml.AliasNode {
		target = n.Alias
		d.aliases++
	}
	if d.open[target] {
		d.refuse(n, at, "contains itself", "remove the alias that closes the circle")
	} else if d.afford(n, at) {
		d.open[target] = true
		return target, true
	}
	if n.Kind == yaml.AliasNode {
		d.aliases--
	}
	return nil, false
}

// afford counts what is reached through aliases and says, once, that it is too much.
func (d *decoder) afford(n *yaml.Node, at section) bool {
	if d.aliases == 0 {
		return true
	}
	d.aliased++
	if d.aliased == maxAliased+1 {
		d.refuse(n, at, "aliases blow the file up beyond all measure", "write out what is meant")
	}
	return d.aliased <= maxAliased
}

func (d *decoder) leave(n, target *yaml.Node) {
	delete(d.open, target)
	if n.Kind == yaml.AliasNode {
		d.aliases--
	}
}

// value decodes n over what out already holds, as yaml.v2 does: the keys of a struct or map given twice, or merged and
// then given, add up.
func (d *decoder) value(n *yaml.Node, out reflect.Value, at section) {
	target, ok := d.enter(n, at)
	if !ok {
		return
	}
	defer d.leave(n, target)
	if isNull(target) {
		out.SetZero()
		return
	}
	if out.Kind() == reflect.Pointer {
		if out.IsNil() {
			out.Set(reflect.New(out.Type().Elem()))
		}
		out = out.Elem()
	}
	switch own := out.Addr().Interface().(type) {
	case *Secret:
		if d.expect(target, yaml.ScalarNode, kindNames[reflect.String], at) {
			*own = NewSecret(text(target))
		}
		return
	case *Disabled:
		own.decode(target, at)
		return
	}
	want := kindNames[out.Kind()]
	switch out.Kind() {
	case reflect.Interface:
		if tree := d.treeAt(target, at); tree != nil {
			out.Set(reflect.ValueOf(tree))
		} else {
			out.SetZero()
		}
	case reflect.Struct:
		if d.expect(target, yaml.MappingNode, want, at) {
			d.fields(target, out, at)
		}
	case reflect.Map:
		if d.expect(target, yaml.MappingNode, want, at) {
			d.entries(target, out, at)
		}
	case reflect.Slice:
		if d.expect(target, yaml.SequenceNode, want, at) {
			d.items(target, out, at)
		}
	default:
		if d.expect(target, yaml.ScalarNode, want, at) {
			d.scalar(target, out, at)
		}
	}
}

// The words for what a key takes.
var kindNames = map[reflect.Kind]string{
	reflect.Struct: "a map of keys", reflect.Map: "a map of keys", reflect.Slice: "a list", reflect.String: "text",
	reflect.Int: "a whole number", reflect.Int64: "a duration like 30s or 5m", reflect.Float64: "a number", reflect.Bool: "true or false",
}

func (d *decoder) expect(n *yaml.Node, kind yaml.Kind, want string, at section) bool {
	if n.Kind == kind {
		return true
	}
	is := map[yaml.Kind]string{yaml.MappingNode: "is a map", yaml.SequenceNode: "is a list", yaml.ScalarNode: "is a single value"}[n.Kind]
	d.refuse(n, at, is, "give "+want)
	return false
}

func (d *decoder) items(n *yaml.Node, out reflect.Value, at section) {
	list := reflect.MakeSlice(out.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		place := at.item(i)
		d.doc.note(place.path, item.Line, isNull(item))
		d.value(item, list.Index(i), place)
	}
	out.Set(list)
}

// entries decodes a map whose keys the operator chooses.
func (d *decoder) entries(n *yaml.Node, out reflect.Value, at section) {
	if out.IsNil() {
		out.Set(reflect.MakeMap(out.Type()))
	}
	d.pairs(n, at, func(key, value *yaml.Node, place section) {
		d.doc.note(place.path, key.Line, isNull(value))
		element := reflect.New(out.Type().Elem()).Elem()
		d.value(value, element, place)
		out.SetMapIndex(reflect.ValueOf(key.Value), element)
	}, func(merged *yaml.Node) { d.entries(merged, out, at) })
}

// fields decodes a map whose keys are those of a struct; what it doesn't know goes to the struct's inline map, if it
// has one. That one's tag may ask for a word about slips of the pen.
func (d *decoder) fields(n *yaml.Node, out reflect.Value, at section) {
	known, extra := keysOf(out.Type())
	d.pairs(n, at, func(key, value *yaml.Node, place section) {
		d.doc.note(place.path, key.Line, isNull(value))
		index, ok := known[key.Value]
		switch {
		case ok:
			d.field(value, out.FieldByIndex(index), out.Type().FieldByIndex(index).Tag, place)
		case extra == nil:
			d.unknownKey(value, key.Value, place, sortedKeys(known))
		default:
			if out.Type().FieldByIndex(extra).Tag.Get("slips") == "warn" {
				d.extraKey(key.Value, place, sortedKeys(known))
			}
			open := out.FieldByIndex(extra)
			if open.IsNil() {
				open.Set(reflect.MakeMap(open.Type()))
			}
			element := reflect.New(open.Type().Elem()).Elem()
			d.value(value, element, place)
			open.SetMapIndex(reflect.ValueOf(key.Value), element)
		}
	}, func(merged *yaml.Node) { d.fields(merged, out, at) })
}

// field decodes one known key. Its tag may say that a number counts seconds.
func (d *decoder) field(value *yaml.Node, out reflect.Value, tag reflect.StructTag, place section) {
	if tag.Get("unit") != "seconds" {
		d.value(value, out, place)
		return
	}
	var seconds int
	d.value(value, reflect.ValueOf(&seconds).Elem(), place)
	out.SetInt(int64(time.Duration(min(seconds, math.MaxInt32)) * time.Second))
}

// pairs walks a map's entries in their order, merged ones where the merge key stands, and reports keys that can't be
// keys or stand there twice.
func (d *decoder) pairs(n *yaml.Node, at section, entry func(key, value *yaml.Node, place section), merge func(*yaml.Node)) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			d.refuse(key, at, "has a key that is a map or a list", "use text as key")
			continue
		}
		if isMerge(key) {
			d.merge(value, at, merge)
			continue
		}
		place := at.key(key.Value)
		if seen[key.Value] {
			d.doc.report(key.Line, place.path, Warning, "stands there twice, and the last one counts", "keep one of them")
		}
		seen[key.Value] = true
		entry(key, value, place)
	}
}

// merge lays one map or a list of maps, of which the first wins, under the map that names it.
func (d *decoder) merge(n *yaml.Node, at section, lay func(*yaml.Node)) {
	target, ok := d.enter(n, at)
	if !ok {
		return
	}
	defer d.leave(n, target)
	switch {
	case target.Kind == yaml.MappingNode:
		lay(target)
	case target.Kind == yaml.SequenceNode && n.Kind == yaml.SequenceNode:
		for _, item := range slices.Backward(target.Content) {
			if item.Kind == yaml.SequenceNode {
				d.refuse(item, at, "merges a list in a list", "list maps, or aliases of maps")
				continue
			}
			d.merge(item, at, lay)
		}
	default:
		d.refuse(n, at, "merges something that is no map", "give << a map, an alias of a map, or a list of these")
	}
}

// keysOf gives the keys that a struct takes, with their fields, and the field for keys that it doesn't know (nil if
// there is none). The fields of embedded structs without a key of their own count as the struct's.
func keysOf(t reflect.Type) (known map[string][]int, extra []int) {
	known = map[string][]int{}
	for _, field := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case options == "inline" && field.Type.Kind() == reflect.Map:
			extra = field.Index
		case name != "" && !behindKey(t, field.Index):
			known[name] = field.Index
		}
	}
	return known, extra
}

// behindKey tells whether a promoted field belongs to an embedded struct that has a key of its own.
func behindKey(t reflect.Type, index []int) bool {
	name, _, _ := strings.Cut(t.Field(index[0]).Tag.Get("yaml"), ",")
	return len(index) > 1 && name != ""
}

func isNull(n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// isEmpty tells whether a value is one that templates write for "not configured".
func isEmpty(n *yaml.Node) bool {
	return isNull(n) || n.Kind == yaml.ScalarNode && n.Value == ""
}

func isMerge(key *yaml.Node) bool {
	return key.Value == "<<" && key.ShortTag() == "!!merge"
}
