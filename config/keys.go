package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// unknownKey reports a key that nobody reads. It has always been ignored, so it is no reason not to start.
func (d *decoder) unknownKey(value *yaml.Node, key string, place section, known []string) {
	if reason := retiredKeys()[place.path]; reason != "" {
		if !isEmpty(value) {
			place.notice("has no effect: "+reason, "remove it")
		}
		return
	}
	want := "remove it, or use one of " + strings.Join(known, ", ")
	if near := nearest(key, known); near != "" {
		want = fmt.Sprintf("did you mean %q?", near)
	} else if elsewhere := placesOf(key, d.table); len(elsewhere) == 1 {
		want = "it belongs to " + elsewhere[0]
	}
	place.warn("is not a key that "+d.doc.format.reader+" knows", want)
}

// extraKey speaks up about a key that will be forwarded, if it looks like a slip of the pen for one that is known.
func (d *decoder) extraKey(key string, place section, known []string) {
	if near := closest(key, known); near != "" {
		place.warn("is not a key that the broker knows, and is forwarded as it is", fmt.Sprintf("did you mean %q?", near))
	}
}

// nearest finds the known key that was probably meant: one that differs in a letter or three, or that has the unknown
// one as its first or last words.
func nearest(key string, known []string) string {
	if near := closest(key, known); near != "" {
		return near
	}
	key = strings.ToLower(key)
	for _, candidate := range known {
		if strings.HasSuffix(candidate, "_"+key) || strings.HasPrefix(candidate, key+"_") {
			return candidate
		}
	}
	return ""
}

// closest finds the known key at the smallest edit distance, if that is small for the length of the key.
func closest(key string, known []string) string {
	key = strings.ReplaceAll(strings.ToLower(key), "-", "_")
	if len(key) > 64 {
		return ""
	}
	best, least := "", min(max(len(key)/4, 1), 3, len(key)-1)+1
	for _, candidate := range known {
		if distance := editDistance(key, candidate); distance < least {
			best, least = candidate, distance
		}
	}
	return best
}

// editDistance counts the bytes to insert, delete, replace or swap with their neighbour to get from a to b.
func editDistance(a, b string) int {
	var before, previous []int // the rows of the two prefixes of a that are shorter
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, previous, row = previous, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := previous[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(previous[j]+1, row[j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}

// placesOf lists the paths at which a table of keys has a key, with [] for the items of lists.
func placesOf(key string, table reflect.Type) []string {
	var places []string
	eachKey(table, "", func(path string, _ reflect.StructField) {
		if path == key || strings.HasSuffix(path, "."+key) {
			places = append(places, path)
		}
	})
	return places
}

func sortedKeys(known map[string][]int) []string { return slices.Sorted(maps.Keys(known)) }

// eachKey walks the table of known keys, depth first.
func eachKey(t reflect.Type, path string, visit func(path string, field reflect.StructField)) {
	switch t.Kind() {
	case reflect.Pointer:
		eachKey(t.Elem(), path, visit)
	case reflect.Slice:
		eachKey(t.Elem(), path+"[]", visit)
	case reflect.Map:
		eachKey(t.Elem(), path+".*", visit)
	case reflect.Struct:
		known, _ := keysOf(t)
		for _, name := range sortedKeys(known) {
			at, field := joinKey(path, name), t.FieldByIndex(known[name])
			visit(at, field)
			eachKey(field.Type, at, visit)
		}
	}
}
