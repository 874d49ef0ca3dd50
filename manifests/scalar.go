package manifests

import (
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

type kind uint8

const (
	nullKind kind = iota
	booleanKind
	integerKind
	floatKind
	textKind
	asWrittenKind // see scalarOf
	mappingKind
	sequenceKind
)

// scalar is a YAML scalar by what it means: two spellings of one value make equal scalars.
type scalar struct {
	kind kind
	text string // the value's one spelling, whatever the spelling in the file
}

func (s scalar) less(other scalar) bool {
	if s.kind != other.kind {
		return s.kind < other.kind
	}
	return s.text < other.text
}

// asText is the scalar where BOSH expects text: the Director takes a number there and spells it its own way, so
// that version: 1.10 means "1.1". False for what has no text.
func (s scalar) asText() (string, bool) {
	switch s.kind {
	case textKind, integerKind, asWrittenKind:
		return s.text, true
	case floatKind:
		return rubyFloat(s.text)
	default:
		return "", false
	}
}

// rubyFloat spells a float as the Director's Ruby would, as far as Ruby uses no exponent.
func rubyFloat(canonical string) (string, bool) {
	value, err := strconv.ParseFloat(canonical, 64)
	magnitude := max(value, -value)
	if err != nil || magnitude >= 1e16 || magnitude < 1e-4 && magnitude != 0 || value != value {
		return "", false
	}
	plain := strconv.FormatFloat(value, 'f', -1, 64)
	if !strings.Contains(plain, ".") {
		plain += ".0"
	}
	return plain, true
}

// scalarOf reads a scalar. Manifests pass two readers that don't agree on every unquoted spelling: YAML 1.2 in
// Go adapters, YAML 1.1 in the Director (Ruby's psych). Where both see the same type, that is the type. yes, no,
// on and off are booleans, as the Director's view is what gets deployed. Any other spelling on which they
// differ (1e5, 08, 12:30, 1,000, :symbol, dates) is compared as it is written, and differs from its quoted form.
func scalarOf(n *yaml.Node) scalar {
	if n.Style&yaml.TaggedStyle != 0 {
		return taggedScalar(n)
	}
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return scalar{textKind, n.Value}
	}
	return plainScalar(n.Tag, n.Value)
}

func taggedScalar(n *yaml.Node) scalar {
	tag := n.ShortTag()
	switch tag {
	case "!!str", "!":
		return scalar{textKind, n.Value}
	case "!!null", "!!bool", "!!int", "!!float":
		untagged := yaml.Node{Kind: yaml.ScalarNode, Value: n.Value}
		if untagged.ShortTag() == tag {
			return plainScalar(tag, n.Value)
		}
	}
	return scalar{asWrittenKind, tag + " " + n.Value}
}

func plainScalar(tag, value string) scalar {
	switch tag {
	case "!!null":
		return scalar{kind: nullKind}
	case "!!bool":
		return scalar{booleanKind, strings.ToLower(value)}
	case "!!int":
		return plainInteger(value)
	case "!!float":
		return plainFloat(value)
	case "!!str", "!!merge":
		return plainText(value)
	default:
		return scalar{asWrittenKind, value}
	}
}

var (
	decimalInteger  = regexp.MustCompile(`^[-+]?(?:0|[1-9](?:_?[0-9])*)$`)
	prefixedInteger = regexp.MustCompile(`^[-+]?0(?:b[01]+|x[0-9a-fA-F]+|[0-7]+)$`)
	decimalFloat    = regexp.MustCompile(`^[-+]?(?:[0-9][0-9_]*)?\.[0-9]*(?:[eE][-+][0-9]+)?$`)
	// numbers with commas, base 60, timestamps: YAML 1.1 only
	directorOnly = regexp.MustCompile(`^[-+]?(?:[0-9][0-9_,]*)?(?:\.[0-9]*(?:[eE][-+][0-9]+)?)?$|` +
		`^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9]){1,2}(?:\.[0-9_]*)?$|` +
		`^-?[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|\s+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}`)
)

func plainInteger(value string) scalar {
	switch {
	case decimalInteger.MatchString(value):
		digits := strings.ReplaceAll(strings.TrimPrefix(value, "+"), "_", "")
		if digits == "-0" {
			digits = "0"
		}
		return scalar{integerKind, digits}
	case prefixedInteger.MatchString(value):
		if i, err := strconv.ParseInt(value, 0, 64); err == nil {
			return scalar{integerKind, strconv.FormatInt(i, 10)}
		}
	}
	return scalar{asWrittenKind, value}
}

func plainFloat(value string) scalar {
	if decimalInteger.MatchString(value) { // too big for the library's integers, not for the Director's
		return plainInteger(value)
	}
	special := strings.ToLower(strings.TrimPrefix(value, "+"))
	if special == ".inf" || special == "-.inf" || special == ".nan" {
		return scalar{floatKind, special}
	}
	if decimalFloat.MatchString(value) {
		if f, err := strconv.ParseFloat(strings.ReplaceAll(value, "_", ""), 64); err == nil {
			return scalar{floatKind, strconv.FormatFloat(f, 'g', -1, 64)}
		}
	}
	return scalar{asWrittenKind, value}
}

// plainText sorts out what the library takes for text and the Director doesn't.
func plainText(value string) scalar {
	if value == "" {
		return scalar{textKind, value}
	}
	switch first := value[0]; {
	case first == ':':
		if len(value) > 1 {
			return scalar{asWrittenKind, value}
		}
	case first >= '0' && first <= '9' || first == '-' || first == '+' || first == '.':
		if len(value) > 1 && directorOnly.MatchString(value) {
			return scalar{asWrittenKind, value}
		}
	case len(value) <= len("false"):
		switch strings.ToLower(value) {
		case "true", "yes", "on":
			return scalar{booleanKind, "true"}
		case "false", "no", "off":
			return scalar{booleanKind, "false"}
		case "null":
			return scalar{kind: nullKind}
		}
	}
	return scalar{textKind, value}
}
