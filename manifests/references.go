package manifests

import (
	"slices"
	"strings"
)

// A reference to an ODB-managed secret (adapter protocol, rules for secrets) is ((odb_secret:NAME)) anywhere in the
// text, in comments too. It reads like a BOSH variable: ! may follow the parentheses, as in ((!odb_secret:NAME)),
// and .KEY may follow the name, for one key of a structured secret, so that a name ends at the first dot. BOSH
// allows no blanks inside the parentheses: with blanks it is no reference. Names hold no parentheses and no line
// breaks, so that a reference always ends at the nearest "))".
const (
	referenceStart = "(("
	referenceEnd   = "))"
	secretPrefix   = "odb_secret:"
)

// SecretReferences returns the names of the ODB-managed secrets that the text refers to, each once, in the order
// of their first appearance, without sub-keys.
func SecretReferences(text string) []string {
	var names []string
	for rest := text; ; {
		found, ok := nextReference(rest)
		if !ok {
			return names
		}
		if !slices.Contains(names, found.name) {
			names = append(names, found.name)
		}
		rest = rest[found.end:]
	}
}

// ReplaceSecrets writes, for each reference to a secret whose name is in paths, the secret's path in its place:
// ((odb_secret:NAME.KEY)) becomes ((PATH.KEY)). All other bytes stay as they are.
func ReplaceSecrets(text string, paths map[string]string) string {
	var replaced strings.Builder
	rest := text
	for {
		found, ok := nextReference(rest)
		if !ok {
			break
		}
		path, known := paths[found.name]
		if known {
			replaced.WriteString(rest[:found.prefix])
			replaced.WriteString(path)
			replaced.WriteString(rest[found.prefix+len(secretPrefix)+len(found.name) : found.end])
		} else {
			replaced.WriteString(rest[:found.end])
		}
		rest = rest[found.end:]
	}
	if replaced.Len() == 0 {
		return text
	}
	replaced.WriteString(rest)
	return replaced.String()
}

// secretReference is a reference by its offsets in the text that it was found in.
type secretReference struct {
	name   string
	prefix int // of odb_secret:
	end    int // behind the closing parentheses
}

func nextReference(s string) (secretReference, bool) {
	for from := 0; ; {
		at := strings.Index(s[from:], secretPrefix)
		if at < 0 {
			return secretReference{}, false
		}
		prefix := from + at
		from = prefix + len(secretPrefix)
		if !strings.HasSuffix(strings.TrimSuffix(s[:prefix], "!"), referenceStart) {
			continue
		}
		length := strings.IndexAny(s[from:], "()\r\n")
		if length < 0 {
			return secretReference{}, false
		}
		name, _, _ := strings.Cut(s[from:from+length], ".")
		if !strings.HasPrefix(s[from+length:], referenceEnd) || !isSecretName(name) {
			continue
		}
		return secretReference{name: name, prefix: prefix, end: from + length + len(referenceEnd)}, true
	}
}

func isSecretName(name string) bool {
	return name != "" && !strings.ContainsAny(name, " \t")
}
