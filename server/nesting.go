package server

// maxNesting is how deep objects and lists of a body may stand in one another. Adapters get the body, and may write it as YAML:
// readers of both have limits of their own, and indentation makes megabytes of a few deep kilobytes.
const maxNesting = 200

// nesting is how deep the objects and lists of valid JSON stand in one another.
func nesting(text []byte) (deepest int) {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++ // whatever it escapes
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}
