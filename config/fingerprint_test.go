package config_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/on-demand-broker/odb/config"
)

func TestFingerprintTellsConfigurationsApartButNotTheirSecrets(t *testing.T) {
	t.Parallel()
	of := func(text string) string {
		t.Helper()
		c, _, err := config.Parse("broker.yml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		print, err := c.Fingerprint()
		if err != nil || !regexp.MustCompile("^[0-9a-f]{16}$").MatchString(print) {
			t.Fatalf("fingerprint %q, %v", print, err)
		}
		return print
	}
	before := of(changeable)
	for _, change := range []struct {
		old, replacement string
		same             bool
	}{
		{"", "# only a remark\n", true},
		{"timeout: 30s", "", true}, // that is its default
		{"password: hunter2", "password: hunter3", true},
		{"TOKEN: hunter2", "TOKEN: hunter3", true},
		{"TOKEN: hunter2", "KEY: hunter2", false},
		{"port: 8080", "port: 8081", false},
		{"service_instance_limit: 5", "service_instance_limit: 6", false},
		{`"b.c": 2`, `"b.c": 3`, false},
		{"azs: [z1]", "azs: [z2]", false},
		{"version: 4.2.0", "version: 4.2.1", false},
	} {
		if got := of(strings.Replace(changeable, change.old, change.replacement, 1)); (got == before) != change.same {
			t.Errorf("%q instead of %q: the same is %v", change.replacement, change.old, got == before)
		}
	}
}
