package docs_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/on-demand-broker/odb/config"
)

// Rows of three cells whose last column is "shown by" name tests; each is there.
func TestEveryProtectionIsShownByATest(t *testing.T) {
	shown, inTable := 0, false
	for line := range strings.Lines(read(t, "SECURITY.md")) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		switch {
		case strings.HasPrefix(line, "| threat "):
			inTable = true
		case !strings.HasPrefix(line, "|"):
			inTable = false
		case inTable && !strings.HasPrefix(line, "|---"):
			shown++
			if len(cells) != 3 || !checkProofs(t, row{id: strings.TrimSpace(cells[0]), proof: cells[2]}) {
				t.Errorf("nothing shows: %s", cells[0])
			}
		}
	}
	if shown < 20 {
		t.Errorf("the page has %d protections", shown)
	}
}

// A key that isn't there would be switched on or off in vain.
func TestSecurityNamesKeysThatThereAre(t *testing.T) {
	example := string(config.Example())
	for _, found := range regexp.MustCompile("`(?:broker|bosh|cf|service_adapter|service_catalog|service_instances_api)\\.([a-z_]+(?:\\.[a-z_]+)*)[:`]").FindAllStringSubmatch(read(t, "SECURITY.md"), -1) {
		keys := strings.Split(found[1], ".")
		if last := keys[len(keys)-1]; !regexp.MustCompile(`(?m)^\s*#?` + last + `:`).MatchString(example) {
			t.Errorf("there is no key %s", found[1])
		}
	}
}
