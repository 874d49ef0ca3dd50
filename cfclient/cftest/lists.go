package cftest

import (
	"bufio"
	"cmp"
	"slices"
	"time"
)

// resource is what is listed and shown.
type resource interface {
	base() *record
	// view is the resource as JSON is made of it. It copies: it is used after the lock is released.
	view(c *CloudController) any
}

// record is what every resource has.
type record struct {
	guid, name       string
	created, updated time.Time
	serial           int // position in the order of creation within its table
}

func (r *record) base() *record { return r }

type link struct {
	Href   string `json:"href"`
	Method string `json:"method,omitempty"`
}

type pagination struct {
	TotalResults int   `json:"total_results"`
	TotalPages   int   `json:"total_pages"`
	First        link  `json:"first"`
	Last         link  `json:"last"`
	Next         *link `json:"next"`
	Previous     *link `json:"previous"`
}

// list is an answer with a page of resources.
type list struct {
	pagination pagination
	resources  []any
	included   any // nil: none
}

// write sends the list one resource at a time: a page may have 5000 of them.
func (l *list) write(w *bufio.Writer) {
	// Errors stay with the writer, and a client that is gone is no fault of ours.
	_, _ = w.WriteString(`{"pagination":`)
	_, _ = w.Write(encode(l.pagination))
	_, _ = w.WriteString(`,"resources":[`)
	for n, one := range l.resources {
		if n > 0 {
			_ = w.WriteByte(',')
		}
		_, _ = w.Write(encode(one))
	}
	_ = w.WriteByte(']')
	if l.included != nil {
		_, _ = w.WriteString(`,"included":`)
		_, _ = w.Write(encode(l.included))
	}
	_ = w.WriteByte('}')
}

// page makes the answer from all that pass the filters, in the order of their creation, and tells which are on it.
func page[R resource](c *CloudController, l listing, all []R) (*list, []R) {
	sortBy(all, l.order)
	if l.descending {
		slices.Reverse(all)
	}
	from := len(all)
	if l.page-1 <= len(all)/l.perPage { // beyond, the product might overflow
		from = min((l.page-1)*l.perPage, len(all))
	}
	to := from + min(l.perPage, len(all)-from)
	pages := max(1, (len(all)+l.perPage-1)/l.perPage)
	out := &list{pagination: pagination{
		TotalResults: len(all), TotalPages: pages,
		First: link{Href: l.href(c.URL(), 1)}, Last: link{Href: l.href(c.URL(), pages)},
	}}
	if l.page < pages {
		out.pagination.Next = &link{Href: l.href(c.URL(), l.page+1)}
	}
	if l.page > 1 {
		out.pagination.Previous = &link{Href: l.href(c.URL(), l.page-1)}
	}
	out.resources = make([]any, 0, to-from)
	for _, one := range all[from:to] {
		out.resources = append(out.resources, one.view(c))
	}
	return out, all[from:to]
}

func sortBy[R resource](all []R, order string) {
	switch order {
	case "updated_at":
		slices.SortStableFunc(all, func(a, b R) int { return a.base().updated.Compare(b.base().updated) })
	case "name":
		slices.SortStableFunc(all, func(a, b R) int { return cmp.Compare(a.base().name, b.base().name) })
	}
}

// table holds resources of a kind in the order of their creation.
type table[R resource] struct {
	byGUID map[string]R
	order  []R
	next   int
}

func newTable[R resource]() table[R] {
	return table[R]{byGUID: map[string]R{}}
}

func (t *table[R]) get(guid string) (R, bool) {
	found, is := t.byGUID[guid]
	return found, is
}

func (t *table[R]) add(one R) {
	t.byGUID[one.base().guid] = one
	one.base().serial = t.next
	t.next++
	t.order = append(t.order, one)
}

func (t *table[R]) remove(guid string) {
	one, is := t.byGUID[guid]
	if !is {
		return
	}
	at, found := slices.BinarySearchFunc(t.order, one.base().serial, func(o R, serial int) int {
		return cmp.Compare(o.base().serial, serial)
	})
	if found {
		t.order = slices.Delete(t.order, at, at+1)
	}
	delete(t.byGUID, guid)
}

// find returns the resources that pass; the slice is the caller's.
func (t *table[R]) find(passes func(R) bool) []R {
	var found []R
	for _, one := range t.order {
		if passes(one) {
			found = append(found, one)
		}
	}
	return found
}
