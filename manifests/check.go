package manifests

import (
	"fmt"
	"strings"
)

// Breach is one thing that a manifest must not say.
type Breach struct {
	Path  string // where, such as releases[1].version
	Value string // what is written there; "" if nothing is
	Want  string // what would be right
}

func (b Breach) String() string {
	if b.Value == "" {
		return fmt.Sprintf("%s is missing: %s", b.Path, b.Want)
	}
	return fmt.Sprintf("%s is %s: %s", b.Path, b.Value, b.Want)
}

// CheckError lists every breach that Check found.
type CheckError struct {
	Breaches []Breach
}

func (e *CheckError) Error() string {
	lines := make([]string, len(e.Breaches))
	for i, breach := range e.Breaches {
		lines[i] = breach.String()
	}
	return "the manifest can't be deployed: " + strings.Join(lines, "; ")
}

// Check says whether the manifest may be deployed under this name: its name must be the deployment's, and no
// release or stemcell version may float (end in "latest"), or each deploy could install something else. The error
// is a *CheckError. All else is for the Director to judge.
func (m *Manifest) Check(deployment string) error {
	breaches := m.nameBreaches(deployment)
	breaches = append(breaches, m.versionBreaches("releases", "name")...)
	breaches = append(breaches, m.versionBreaches("stemcells", "alias")...)
	if len(breaches) > 0 {
		return &CheckError{Breaches: breaches}
	}
	return nil
}

func (m *Manifest) nameBreaches(deployment string) []Breach {
	name := m.root.child("name")
	if written, isText := name.asText(); isText && written == deployment {
		return nil
	}
	return []Breach{{Path: "name", Value: describe(name), Want: "must be the deployment's name, " + shortQuote(deployment)}}
}

func (m *Manifest) versionBreaches(list, label string) []Breach {
	entries := m.root.child(list)
	if isNothing(entries) {
		return nil
	}
	if entries.kind != sequenceKind {
		return []Breach{{Path: list, Value: describe(entries), Want: "must be a list"}}
	}
	var breaches []Breach
	for i, entry := range entries.items {
		path := fmt.Sprintf("%s[%d]", list, i)
		if entry.kind != mappingKind {
			breaches = append(breaches, Breach{Path: path, Value: describe(entry), Want: "must be a mapping with a name and a version"})
			continue
		}
		version := entry.child("version")
		if written, isText := version.asText(); isText && strings.HasSuffix(written, "latest") {
			breaches = append(breaches, Breach{Path: path + ".version", Value: describe(version), Want: "must be an exact version" + whose(entry, label)})
		}
	}
	return breaches
}

// whose names the entry, since a list's index tells an operator little.
func whose(entry *node, label string) string {
	name, isText := entry.child(label).asText()
	if !isText {
		return ""
	}
	return fmt.Sprintf(" (%s %s)", label, shortQuote(name))
}

// describe shows a name or a version; anything else that stands in its place is only called by its kind.
func describe(n *node) string {
	if n == nil || n.kind == nullKind {
		return ""
	}
	if written, isText := n.asText(); isText {
		return shortQuote(written)
	}
	switch n.kind {
	case mappingKind:
		return "a mapping"
	case sequenceKind:
		return "a list"
	default:
		return n.text
	}
}
