package secrets

import (
	"regexp"
	"slices"
	"strings"
)

// Reference is a variable that a manifest refers to, ((NAME)) or ((NAME.KEY.KEY)), as BOSH reads it: the name ends at the
// first dot; an exclamation mark may stand before it; blanks, colons and the like make it no reference, so that neither
// ((odb_secret:NAME)) nor most shell arithmetic is one.
type Reference struct {
	Literal string   // as in the manifest, with the parentheses: the key under which adapters look for it
	Name    string   // absolute if it starts with a slash, else relative to the deployment
	Keys    []string // the way to one field of a structured value; empty: the whole value
}

var referencePattern = regexp.MustCompile(`\(\(!?([-/.\w\pL]+)\)\)`)

// ParseReferences finds the references in a text, each spelling once, in the order of their first appearance.
func ParseReferences(text string) []Reference {
	var references []Reference
	known := map[string]bool{}
	for _, match := range referencePattern.FindAllStringSubmatch(text, -1) {
		literal, parts := match[0], strings.Split(match[1], ".")
		if known[literal] || slices.Contains(parts, "") {
			continue
		}
		known[literal] = true
		references = append(references, Reference{Literal: literal, Name: parts[0], Keys: parts[1:]})
	}
	return references
}

// Variable is one of a deployment's variables, as the Director lists them.
type Variable struct {
	ID   string // of the version that the deployment uses
	Name string // absolute: /DIRECTOR/DEPLOYMENT/NAME, or what an absolute reference says
}

// source is where a reference's value is: one version of a credential, or the latest one of a name.
type source struct {
	id, name string // one of the two
	keys     []string
}

// find looks a reference up in the deployment's variables. Of one name listed twice the first is taken. An absolute
// reference that is not listed is looked for in CredHub by its name; a relative one then has no value.
func (r Reference) find(deployment string, variables []Variable) (source, bool) {
	listed := func(matches func(name string) bool) (id string, ok bool) {
		i := slices.IndexFunc(variables, func(v Variable) bool { return matches(v.Name) })
		if i < 0 {
			return "", false
		}
		return variables[i].ID, true
	}
	if strings.HasPrefix(r.Name, "/") {
		whole := strings.Join(append([]string{r.Name}, r.Keys...), ".")
		if id, ok := listed(func(name string) bool { return name == whole }); ok {
			return source{id: id}, true
		}
		if id, ok := listed(func(name string) bool { return name == r.Name }); ok {
			return source{id: id, keys: r.Keys}, true
		}
		return source{name: r.Name, keys: r.Keys}, true
	}
	// The deployment's own, /DIRECTOR/DEPLOYMENT/NAME, comes before one that merely ends alike.
	for _, end := range []string{"/" + deployment + "/" + r.Name, "/" + r.Name} {
		if id, ok := listed(func(name string) bool { return strings.HasSuffix(name, end) }); ok {
			return source{id: id, keys: r.Keys}, true
		}
	}
	return source{}, false
}
