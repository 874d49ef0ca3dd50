package manifests

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

const (
	maxDiffLines   = 200
	maxListedItems = 20
	redacted       = "<redacted>"
)

// diff writes a difference as PendingChange promises it.
func diff(from, to *Manifest) string {
	var d diffWriter
	c := comparison{report: d.change}
	c.roots(from, to)
	if d.lines > maxDiffLines {
		fmt.Fprintf(&d.written, "… and %d more lines\n", d.lines-maxDiffLines)
	}
	return d.written.String()
}

type diffWriter struct {
	written strings.Builder
	lines   int
}

func (d *diffWriter) line(sign byte, p location, note, value string) {
	d.lines++
	if d.lines <= maxDiffLines {
		fmt.Fprintf(&d.written, "%c %s%s: %s\n", sign, p, note, value)
	}
}

func (d *diffWriter) change(found change) {
	if found.orderBy != "" {
		d.line('-', found.path, " (order)", showNames(found.from, found.orderBy))
		d.line('+', found.path, " (order)", showNames(found.to, found.orderBy))
		return
	}
	d.side('-', found.path, found.from, found.rule)
	d.side('+', found.path, found.to, found.rule)
}

// side writes everything that only one manifest has: a line for each value that may be shown, one line for each
// part that may not.
func (d *diffWriter) side(sign byte, at location, n *node, r rule) {
	switch {
	case n == nil:
	case n.isScalar():
		d.line(sign, at, "", show(n, r))
	case n.kind == mappingKind && len(n.fields) == 0:
		d.line(sign, at, "", "{}")
	case n.kind == sequenceKind && onlyScalars(n):
		d.line(sign, at, "", showList(n, r))
	case r.area == areaUnknown || n.text != "":
		d.line(sign, at, "", redacted)
	case n.kind == mappingKind:
		for _, f := range n.fields {
			d.side(sign, append(at, step{key: &f.key}), f.value, r.area.rule(f.key))
		}
	default:
		by := namedBy(n, n, r.area)
		for i, item := range n.items {
			s := step{index: i, by: by}
			s.name, _ = item.child(by).asText()
			d.side(sign, append(at, s), item, r)
		}
	}
}

func show(n *node, r rule) string {
	switch {
	case !r.shown:
		return redacted
	case n.kind == nullKind:
		return "null"
	case n.kind == textKind:
		return plainOrQuoted(n.text)
	case len(n.text) > len(redacted)*2: // a spelling that nobody writes
		return shortQuote(n.text)
	default:
		return n.text
	}
}

func showList(n *node, r rule) string {
	if !r.shown && len(n.items) > 0 {
		return redacted
	}
	return listed(n, func(item *node) string { return show(item, r) })
}

// showNames shows in which order a list has the elements that the key names.
func showNames(n *node, key string) string {
	return listed(n, func(item *node) string {
		name, _ := item.child(key).asText()
		return plainOrQuoted(name)
	})
}

func listed(n *node, show func(item *node) string) string {
	shown := make([]string, 0, maxListedItems+1)
	for i, item := range n.items {
		if i == maxListedItems {
			shown = append(shown, fmt.Sprintf("… %d in all", len(n.items)))
			break
		}
		shown = append(shown, show(item))
	}
	return "[" + strings.Join(shown, ", ") + "]"
}

var (
	plainKey   = regexp.MustCompile(`^[A-Za-z0-9_/][-A-Za-z0-9_/:]{0,99}$`)
	plainValue = regexp.MustCompile(`^[A-Za-z0-9_/(][-A-Za-z0-9_/.()!:@%+]{0,99}$`)
)

// plainOrQuoted writes text so that it can't be taken for a number, a boolean or more than one value.
func plainOrQuoted(s string) string {
	unquoted := yaml.Node{Kind: yaml.ScalarNode, Value: s}
	if plainValue.MatchString(s) && plainScalar(unquoted.ShortTag(), s).kind == textKind {
		return s
	}
	return shortQuote(s)
}

// pathKey spells a key for a path or a message: quoted if it isn't plain, and shortened.
func pathKey(key scalar) string {
	switch {
	case key.kind == nullKind:
		return "null"
	case plainKey.MatchString(key.text):
		return key.text
	default:
		return shortQuote(key.text)
	}
}

// shortQuote quotes a text, cut to a length that a person reads.
func shortQuote(s string) string {
	const longest = 100
	if utf8.RuneCountInString(s) <= longest {
		return strconv.Quote(s)
	}
	return strconv.Quote(string([]rune(s)[:longest])) + "…"
}
