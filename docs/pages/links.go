package pages

import (
	"fmt"
	"regexp"
	"strings"
)

// Link is a link to another place of the repository.
type Link struct {
	Line   int
	Path   string // relative to the page; empty: the page itself
	Anchor string // without its #; empty: the page as a whole
}

var (
	inlineLink = regexp.MustCompile(`\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)`)
	inlineCode = regexp.MustCompile("``[^`]*``|`[^`]*`")
	scheme     = regexp.MustCompile(`^[a-z][a-z0-9+.-]*:`)
	heading    = regexp.MustCompile(`^#{1,6} +(.+?)(?: +#+)?$`)
	linkText   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	named      = regexp.MustCompile(`<a (?:id|name)="([^"]+)">`)
	notKept    = regexp.MustCompile(`[^\p{L}\p{N}\- _]`)
)

// Links are the page's links to places of the repository; addresses on the network are none.
func (p Page) Links() []Link {
	var links []Link
	for number, line := range p.prose() {
		for _, found := range inlineLink.FindAllStringSubmatch(inlineCode.ReplaceAllString(line, ""), -1) {
			if scheme.MatchString(found[1]) {
				continue
			}
			path, anchor, _ := strings.Cut(found[1], "#")
			path, _, _ = strings.Cut(path, "?")
			links = append(links, Link{Line: number, Path: path, Anchor: anchor})
		}
	}
	return links
}

// Anchors are what the page's parts are linked by: the names that they have, and what GitHub makes of headings, of which those that are
// there already get a number.
func (p Page) Anchors() map[string]bool {
	anchors := map[string]bool{}
	for _, line := range p.prose() {
		if found := heading.FindStringSubmatch(line); found != nil {
			anchor := Anchor(linkText.ReplaceAllString(found[1], "$1"))
			unique := anchor
			for n := 1; anchors[unique]; n++ {
				unique = fmt.Sprintf("%s-%d", anchor, n)
			}
			anchors[unique] = true
		}
		for _, found := range named.FindAllStringSubmatch(line, -1) {
			anchors[found[1]] = true
		}
	}
	return anchors
}

// Anchor is what a heading is linked by, if there is only one of its text.
func Anchor(heading string) string {
	return strings.ReplaceAll(strings.TrimSpace(notKept.ReplaceAllString(strings.ToLower(heading), "")), " ", "-")
}
