package cftest

import "slices"

// in is what a JSON document holds at the end of a path of keys; nil if there is no such place.
func in(document any, path ...string) any {
	for _, key := range path {
		object, is := document.(map[string]any)
		if !is {
			return nil
		}
		document = object[key]
	}
	return document
}

// textIn is the text there; "" if there is none.
func textIn(document any, path ...string) string {
	text, _ := in(document, path...).(string)
	return text
}

// related is the GUID of a to-one relationship in a body.
func related(fields map[string]any, name string) string {
	return textIn(fields, "relationships", name, "data", "guid")
}

// fieldsBeyond is the problem that a body has fields that it may not have; none if it hasn't.
func fieldsBeyond(fields map[string]any, known ...string) []string {
	allowed := map[string]bool{}
	for _, name := range known {
		allowed[name] = true
	}
	var beyond []string
	for name := range fields {
		if !allowed[name] {
			beyond = append(beyond, name)
		}
	}
	if len(beyond) == 0 {
		return nil
	}
	slices.Sort(beyond)
	return []string{"Unknown field(s): " + quoted(beyond)}
}
