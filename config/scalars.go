package config

import (
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// scalar decodes a single value into text, a number, a boolean or a duration.
func (d *decoder) scalar(n *yaml.Node, out reflect.Value, at section) {
	if out.Kind() == reflect.String {
		out.SetString(text(n))
		return
	}
	if out.Type() == durationType {
		d.duration(n, out, at)
		return
	}
	fits := false
	switch v := resolve(n).(type) {
	case bool:
		if fits = out.Kind() == reflect.Bool; fits {
			out.SetBool(v)
		}
	case int:
		fits = setNumber(out, float64(v), int64(v))
	case uint64: // too big for an int, but a price may be anything
		fits = setNumber(out, float64(v), 0)
	case float64:
		fits = setNumber(out, v, int64(v))
		if fits && out.Kind() == reflect.Int && v != math.Trunc(v) {
			at.warn("is not a whole number, and its fraction is cut off", "give "+kindNames[reflect.Int])
		}
	}
	if !fits {
		d.refuse(n, at, "is "+shorten(n.Value), "give "+kindNames[out.Kind()]+", without quotes")
	}
}

// setNumber says whether out takes the number; whole is number without its fraction.
func setNumber(out reflect.Value, number float64, whole int64) bool {
	switch {
	case out.Kind() == reflect.Float64:
		out.SetFloat(number)
	case out.Kind() == reflect.Int && math.Abs(number) <= 1<<53:
		out.SetInt(whole)
	default:
		return false
	}
	return true
}

func (d *decoder) duration(n *yaml.Node, out reflect.Value, at section) {
	duration, err := time.ParseDuration(n.Value)
	if err != nil || duration <= 0 {
		d.refuse(n, at, "is "+shorten(n.Value), "give "+kindNames[reflect.Int64])
		return
	}
	out.SetInt(int64(duration))
}

// text is a value where text is wanted: as it was written, whatever YAML would make of it.
func text(n *yaml.Node) string {
	if n.ShortTag() == "!!binary" {
		if decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Value), "")); err == nil {
			return string(decoded)
		}
	}
	return n.Value
}

// resolve gives a value its type, as the existing broker's YAML 1.1 did: nil, bool, int, uint64, float64 or string.
func resolve(n *yaml.Node) any {
	const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle | yaml.TaggedStyle
	switch tag := n.ShortTag(); {
	case tag == "!!null":
		return nil
	case tag == "!!bool" || tag == "!!str" && n.Style&quoted == 0:
		if v, ok := boolean(n.Value); ok {
			return v
		}
	case tag == "!!int" || tag == "!!float":
		var v any
		if err := n.Decode(&v); err == nil {
			return v
		}
	}
	return text(n)
}

// boolean reads the words of YAML 1.1.
func boolean(word string) (v, ok bool) {
	switch word {
	case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE":
		return true, true
	case "n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE":
		return false, true
	default:
		return false, false
	}
}

// tree decodes what is forwarded unread: maps are map[string]any all the way down, so that JSON can say them.
func (d *decoder) tree(n *yaml.Node, at section) any {
	target, ok := d.enter(n, at)
	if !ok {
		return nil
	}
	defer d.leave(n, target)
	return d.treeAt(target, at)
}

// treeAt is tree for a node that was entered.
func (d *decoder) treeAt(n *yaml.Node, at section) any {
	switch n.Kind {
	case yaml.MappingNode:
		tree := map[string]any{}
		d.branches(n, tree, at)
		return tree
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for i, item := range n.Content {
			list = append(list, d.tree(item, at.item(i)))
		}
		return list
	default:
		v := resolve(n)
		if number, ok := v.(float64); ok && (math.IsNaN(number) || math.IsInf(number, 0)) {
			d.doc.report(n.Line, at.path, Warning, "is a number that JSON can't say, so the adapter gets text", "quote it")
			return n.Value
		}
		return v
	}
}

func (d *decoder) branches(n *yaml.Node, into map[string]any, at section) {
	d.pairs(n, at, func(key, value *yaml.Node, place section) {
		if _, isText := resolve(key).(string); !isText {
			d.doc.report(key.Line, place.path, Warning, "is a key that is not text, and JSON has none but text", "quote the key")
		}
		into[key.Value] = d.tree(value, place)
	}, func(merged *yaml.Node) { d.branches(merged, into, at) })
}

// shorten quotes a stranger's text and keeps it from filling the screen. It is for numbers and switches gone wrong; text
// itself is never quoted in a problem, since it may be a secret.
func shorten(text string) string {
	const most = 40
	if len(text) <= most {
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprintf("%q…", strings.ToValidUTF8(text[:most], ""))
}
