package cftest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultPerPage = 50
	maximumPerPage = 5000
)

// parameter is one query parameter; of several with one name the last counts.
type parameter struct{ name, value string }

func parseQuery(raw string) []parameter {
	var list []parameter
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		p := parameter{unescaped(name), unescaped(value)}
		if at := slices.IndexFunc(list, func(o parameter) bool { return o.name == p.name }); at >= 0 {
			list[at] = p
			continue
		}
		list = append(list, p)
	}
	return list
}

// listing is what a list is asked for: which page, in which order, what to filter by, what to include.
type listing struct {
	path          string
	page, perPage int
	order         string // created_at, updated_at or name; "" is created_at
	descending    bool
	parameters    []parameter
}

// listable is what a kind of list may be asked for: names of parameters in the order in which Cloud Controller prints
// them, and those of them that this package answers.
type listable struct {
	valid    []string
	modelled []string
}

var (
	pageParameters  = []string{"page", "per_page", "order_by"}
	orders          = []string{"created_at", "updated_at", "name"}
	startParameters = append(slices.Clone(pageParameters), "created_ats", "updated_ats")
)

func listableBy(modelled []string, valid ...string) listable {
	return listable{valid: append(slices.Clone(startParameters), valid...), modelled: append(slices.Clone(pageParameters), modelled...)}
}

// parse reads the query. problems is what Cloud Controller refuses, unmodelled what only this package does.
func (k listable) parse(path, raw string) (l listing, problems, unmodelled []string) {
	l = listing{path: path, page: 1, perPage: defaultPerPage}
	var unknown []string
	for _, p := range parseQuery(raw) {
		base, _, _ := strings.Cut(p.name, "[")
		switch {
		case p.name == "page":
			l.page, problems = positive("Page", p.value, problems)
		case p.name == "per_page":
			l.perPage, problems = positive("Per page", p.value, problems)
			if l.perPage > maximumPerPage {
				problems = append(problems, fmt.Sprintf("Per page must be between 1 and %d", maximumPerPage))
			}
		case p.name == "order_by":
			l.order, l.descending = strings.TrimLeft(p.value, "+- "), strings.HasPrefix(p.value, "-")
			if !slices.Contains(orders, l.order) {
				problems = append(problems, "Order by can only be: "+quoted(orders))
			}
		case !slices.Contains(k.valid, base):
			unknown = append(unknown, p.name)
		case !slices.Contains(k.modelled, base):
			unmodelled = append(unmodelled, p.name)
		default:
			l.parameters = append(l.parameters, p)
		}
	}
	if len(unknown) > 0 {
		problems = append(problems, "Unknown query parameter(s): "+quoted(unknown)+". Valid parameters are: "+quoted(k.valid))
	}
	return l, problems, unmodelled
}

func positive(what, value string, problems []string) (int, []string) {
	number, err := strconv.Atoi(value)
	if err != nil || number < 1 {
		return 1, append(problems, what+" must be a positive integer")
	}
	return number, problems
}

func quoted(names []string) string { return "'" + strings.Join(names, "', '") + "'" }

// listing reads what a request for a list asks for, or is how to refuse it.
func (q *request) listing(k listable) (listing, *response) {
	l, problems, unmodelled := k.parse(strings.TrimSuffix(q.http.URL.Path, "/"), q.http.URL.RawQuery)
	var refusal response
	switch {
	case len(problems) > 0:
		refusal = refuse(http.StatusBadRequest, apiError{
			"The query parameter is invalid: " + strings.Join(problems, ", "), "CF-BadQueryParameter", 10005,
		})
	case len(unmodelled) > 0:
		refusal = refuse(http.StatusNotImplemented, apiError{
			"cftest does not model the query parameter(s) " + quoted(unmodelled) + " of " + l.path, "CF-NotImplemented", 0,
		})
	default:
		return l, nil
	}
	return l, &refusal
}

func (l *listing) value(name string) (string, bool) {
	for _, p := range l.parameters {
		if p.name == name {
			return p.value, true
		}
	}
	return "", false
}

// filter is what a filter lets pass, nil for everything. Commas separate; one within a value is escaped twice.
func (l *listing) filter(name string) wanted {
	value, is := l.value(name)
	if !is {
		return nil
	}
	set := wanted{}
	for one := range strings.SplitSeq(value, ",") {
		set[unescaped(one)] = true
	}
	return set
}

// wanted are the values that a filter lets pass; nil: all.
type wanted map[string]bool

func (w wanted) has(value string) bool { return w == nil || w[value] }

// fields are what of a resource is asked for in fields[resource].
func (l *listing) fields(resource string) []string {
	value, is := l.value("fields[" + resource + "]")
	if !is {
		return nil
	}
	return strings.Split(value, ",")
}

// includes tells whether include= names the resource.
func (l *listing) includes(resource string) bool {
	value, _ := l.value("include")
	return slices.Contains(strings.Split(value, ","), resource)
}

// href is the URL of a page of the same list, its parameters sorted.
func (l *listing) href(base string, page int) string {
	all := append(slices.Clone(l.parameters), parameter{"page", strconv.Itoa(page)}, parameter{"per_page", strconv.Itoa(l.perPage)})
	if l.order != "" {
		sign := "+"
		if l.descending {
			sign = "-"
		}
		all = append(all, parameter{"order_by", sign + l.order})
	}
	parts := make([]string, len(all))
	for n, p := range all {
		parts[n] = url.QueryEscape(p.name) + "=" + url.QueryEscape(p.value)
	}
	slices.Sort(parts)
	return base + l.path + "?" + strings.Join(parts, "&")
}
