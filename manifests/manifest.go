package manifests

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Manifest is what one BOSH deployment manifest says. It never changes after Parse, so any number of goroutines may read it.
type Manifest struct{ root *node }

// SyntaxError says why a text isn't a manifest. It names lines and keys, never a value, as values may be secret.
type SyntaxError struct {
	Line int // counted from 1
	What string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("manifest, line %d: %s", e.Line, e.What)
}

// Parse reads one YAML document whose root is a mapping. Anchors, aliases and merge keys are resolved. Refused
// with a *SyntaxError: what isn't YAML, a second document, a key that stands twice in one mapping, an alias that
// contains itself, and aliases that multiply into more than any manifest needs.
func Parse(text string) (*Manifest, error) {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	var document yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, &SyntaxError{Line: 1, What: "the manifest is empty"}
	case err != nil:
		return nil, syntaxError(text, err)
	}
	root := document.Content[0]
	if root.Kind == yaml.ScalarNode && root.Value == "" && root.ShortTag() == "!!null" {
		return nil, &SyntaxError{Line: 1, What: "the manifest is empty"}
	}
	if root.Kind != yaml.MappingNode {
		return nil, &SyntaxError{Line: root.Line, What: "a manifest must be a mapping, such as 'name: …', not a " + yamlKind(root)}
	}
	var second yaml.Node
	switch err := decoder.Decode(&second); {
	case err == nil:
		return nil, &SyntaxError{Line: second.Line, What: "a second YAML document begins; a manifest is exactly one"}
	case !errors.Is(err, io.EOF):
		return nil, syntaxError(text, err)
	}
	tree, err := buildTree(root, len(text))
	if err != nil {
		return nil, err
	}
	return &Manifest{root: tree}, nil
}

// parseNamed says in its error which of several manifests can't be read.
func parseNamed(which, text string) (*Manifest, error) {
	m, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the %s manifest can't be read: %w", which, err)
	}
	return m, nil
}

func yamlKind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "list"
	case yaml.ScalarNode:
		return "single value"
	default:
		return "mapping"
	}
}

var (
	yamlErrorShape = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)
	unknownAnchor  = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// syntaxError turns an error of the YAML library into one that names a line and quotes nothing. The library's
// texts are fixed sentences but for one, which quotes the alias: that may be a password that begins with '*'.
func syntaxError(text string, err error) error {
	parts := yamlErrorShape.FindStringSubmatch(err.Error())
	if parts == nil {
		return &SyntaxError{Line: 1, What: "not valid YAML"}
	}
	if anchor := unknownAnchor.FindStringSubmatch(parts[2]); anchor != nil {
		return &SyntaxError{
			Line: lineOfAlias(text, anchor[1]),
			What: "an alias (*…) refers to an anchor (&…) that isn't defined above it; text that begins with '*' needs quotes",
		}
	}
	if line, convErr := strconv.Atoi(parts[1]); convErr == nil {
		// The library names the line where the construct began that it couldn't finish.
		return &SyntaxError{Line: line, What: "not valid YAML here or soon after: " + parts[2]}
	}
	return &SyntaxError{Line: lineOfBadCharacter(text), What: "not valid YAML: " + parts[2]}
}

// lineOfAlias finds the first line that uses the alias: the library doesn't tell.
func lineOfAlias(text, name string) int {
	number := 0
	for line := range strings.Lines(text) {
		number++
		for rest := line; ; {
			_, after, found := strings.Cut(rest, "*"+name)
			if !found {
				break
			}
			if after == "" || strings.ContainsAny(after[:1], " \t\r\n,]}:") {
				return number
			}
			rest = after
		}
	}
	return 1
}

// lineOfBadCharacter finds the first character that YAML doesn't allow at all; the library names no line for it.
func lineOfBadCharacter(text string) int {
	for i, r := range text {
		_, width := utf8.DecodeRuneInString(text[i:])
		broken := r == utf8.RuneError && width == 1
		control := r < ' ' && r != '\n' && r != '\r' && r != '\t' || r >= 0x7f && r < 0xa0 && r != 0x85
		if broken || control {
			return 1 + strings.Count(text[:i], "\n")
		}
	}
	return 1
}
