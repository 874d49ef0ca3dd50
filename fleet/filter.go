package fleet

import (
	"fmt"
	"slices"
	"strings"
)

// Filter says which members are meant. Terms of one key are alternatives, and each key that is named has to match:
// org=a, org=b, plan=small means small instances in either organization. The empty Filter matches everybody.
type Filter struct {
	terms map[string][]string        // values by key, as written; a key without values matches nobody
	sets  map[string]map[string]bool // the same, to look up
}

// filterKeys are what a term may name, and the values of a member that it is compared with, exactly.
var filterKeys = [...]struct {
	name string
	of   func(Member) []string
}{
	{"id", func(m Member) []string { return []string{m.ID} }},
	{"plan", func(m Member) []string { return []string{m.Plan, m.PlanID} }},
	{"org", func(m Member) []string { return []string{m.Org} }},
	{"space", func(m Member) []string { return []string{m.Space} }},
}

// ParseFilter reads terms like id=…, plan=… (name or id), org=… and space=… (names). A value may hold anything, = and commas
// included.
func ParseFilter(terms []string) (Filter, error) {
	filter := Filter{}
	for _, term := range terms {
		key, value, found := strings.Cut(term, "=")
		if !found || !isFilterKey(key) {
			return Filter{}, fmt.Errorf("%q is no filter: write id=…, plan=…, org=… or space=…, and repeat the flag for several", term)
		}
		if value == "" {
			return Filter{}, fmt.Errorf("%q is no filter: there is no value after %s=", term, key)
		}
		filter.add(key, value)
	}
	return filter, nil
}

func isFilterKey(key string) bool {
	for _, known := range filterKeys {
		if known.name == key {
			return true
		}
	}
	return false
}

// IDs is the filter for exactly these members, for a choice that somebody else made; without ids it matches nobody.
func IDs(ids ...string) Filter {
	filter := Filter{terms: map[string][]string{"id": nil}}
	for _, id := range ids {
		filter.add("id", id)
	}
	return filter
}

func (f *Filter) add(key, value string) {
	if f.terms == nil {
		f.terms = map[string][]string{}
	}
	if f.sets == nil {
		f.sets = map[string]map[string]bool{}
	}
	if f.sets[key] == nil {
		f.sets[key] = map[string]bool{}
	}
	if !f.sets[key][value] {
		f.sets[key][value] = true
		f.terms[key] = append(f.terms[key], value)
	}
}

// Empty says that the filter has no terms, and so matches everybody.
func (f Filter) Empty() bool { return len(f.terms) == 0 }

// Matches says whether the member is meant.
func (f Filter) Matches(member Member) bool {
	for _, key := range filterKeys {
		_, named := f.terms[key.name]
		if named && !slices.ContainsFunc(key.of(member), func(value string) bool { return f.sets[key.name][value] }) {
			return false
		}
	}
	return true
}

// Unknown are the filter's terms that match none of the members: most likely slips of the pen.
func (f Filter) Unknown(members []Member) []string {
	var unknown []string
	for _, key := range filterKeys {
		if len(f.terms[key.name]) == 0 {
			continue
		}
		there := map[string]bool{}
		for _, member := range members {
			for _, value := range key.of(member) {
				there[value] = true
			}
		}
		for _, value := range f.terms[key.name] {
			if !there[value] {
				unknown = append(unknown, key.name+"="+value)
			}
		}
	}
	return unknown
}

// unknownIDs are the ids of the filter that no member has.
func (f Filter) unknownIDs(members []Member) []string {
	return IDs(f.terms["id"]...).Unknown(members)
}

// String is the filter as it is written: its terms, with commas between.
func (f Filter) String() string {
	var terms []string
	for _, key := range filterKeys {
		for _, value := range f.terms[key.name] {
			terms = append(terms, key.name+"="+value)
		}
	}
	return strings.Join(terms, ", ")
}

// Selection is what --only and --exclude say together.
type Selection struct{ Only, Exclude Filter }

// Of are the members that Only matches and Exclude, unless it is empty, doesn't; in their order. A term of either that matches
// nobody is an error: who was meant to be left out must not be touched because of a slip of the pen.
func (s Selection) Of(members []Member) ([]Member, error) {
	if unknown := s.Only.Unknown(members); len(unknown) > 0 {
		return nil, fmt.Errorf("--only: no service instance has %s", strings.Join(unknown, ", "))
	}
	if unknown := s.Exclude.Unknown(members); len(unknown) > 0 {
		return nil, fmt.Errorf("--exclude: no service instance has %s", strings.Join(unknown, ", "))
	}
	var chosen []Member
	for _, member := range members {
		if s.Only.Matches(member) && (s.Exclude.Empty() || !s.Exclude.Matches(member)) {
			chosen = append(chosen, member)
		}
	}
	return chosen, nil
}
