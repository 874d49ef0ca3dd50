package docs_test

import (
	"regexp"
	"strings"
	"testing"
)

// A page that names a target which make doesn't have sends its reader to an error.
func TestPagesNameTargetsThatMakeHas(t *testing.T) {
	t.Parallel()
	makefile, target := read(t, "../Makefile"), regexp.MustCompile("^[a-z][a-z-]*$")
	checked := 0
	for path, page := range readAll(t) {
		for _, command := range page.Commands("make") {
			for _, word := range command.Words[1:] {
				if !target.MatchString(word) {
					break // a variable, or a comment
				}
				checked++
				if !strings.Contains(makefile, "\n"+word+":") {
					t.Errorf("%s:%d: make has no target %s", path, command.Line, word)
				}
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d targets were found", checked)
	}
}
