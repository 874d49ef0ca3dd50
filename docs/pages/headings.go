package pages

import (
	"regexp"
	"strings"
)

// Anchor is what a heading is linked by, as GitHub makes it of the heading's text.
func Anchor(heading string) string {
	kept := regexp.MustCompile(`[^\p{L}\p{N}\- _]`).ReplaceAllString(strings.ToLower(heading), "")
	return strings.ReplaceAll(strings.TrimSpace(kept), " ", "-")
}
