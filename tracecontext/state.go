package tracecontext

import (
	"regexp"
	"slices"
	"strings"
)

// Limits of a tracestate (W3C Trace Context, Tracestate Limits). What is longer than it has to be handed on is shortened: the long
// members go first, then those that are furthest from here.
const (
	maxMembers    = 32
	maxState      = 512 // characters that are handed on
	longMember    = 128
	maxStateGiven = 16 << 10 // bytes that are read at all
)

// memberForm is key=value: a key is a vendor's, or a tenant's at a vendor's; a value doesn't end with a space.
var memberForm = regexp.MustCompile(`^([a-z0-9][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z0-9][a-z0-9_\-*/]{0,13})` +
	`=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$`)

// readState is the list of members of all headers; empty if any of them can't be right.
func readState(headers []string) string {
	given := strings.Join(headers, ",")
	if len(given) > maxStateGiven {
		return ""
	}
	var members []string
	keys := map[string]bool{}
	for member := range strings.SplitSeq(given, ",") {
		member = strings.Trim(member, " \t")
		if member == "" { // which is allowed
			continue
		}
		key, _, _ := strings.Cut(member, "=")
		if !memberForm.MatchString(member) || keys[key] || len(members) == maxMembers {
			return ""
		}
		keys[key] = true
		members = append(members, member)
	}
	return shortened(members)
}

func shortened(members []string) string {
	joined := func() string { return strings.Join(members, ",") }
	for i := len(members) - 1; i >= 0 && len(joined()) > maxState; i-- {
		if len(members[i]) > longMember {
			members = slices.Delete(members, i, i+1)
		}
	}
	for len(joined()) > maxState {
		members = members[:len(members)-1]
	}
	return joined()
}
