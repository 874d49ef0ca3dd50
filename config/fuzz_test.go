package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/on-demand-broker/odb/config"
)

// FuzzParse looks for texts that make Parse panic, answer differently the second time, point outside of the file, refuse
// without a reason (or not in spite of one), or give something that JSON can't say.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.yml", "testdata/bad/*.yml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Add(config.Example())
	f.Fuzz(func(t *testing.T, text []byte) {
		c, rest, err := config.Parse("broker.yml", text)
		again, restAgain, errAgain := config.Parse("broker.yml", text)
		if !reflect.DeepEqual(rest, restAgain) || !reflect.DeepEqual(err, errAgain) || !sameConfig(t, c, again) {
			t.Errorf("twice the same text: %v %v, %v %v", rest, err, restAgain, errAgain)
		}
		var refused *config.Problems
		if (err != nil) != errors.As(err, &refused) || (c == nil) != (err != nil) || err != nil && len(refused.All) == 0 {
			t.Fatalf("%v %v", c, err)
		}
		for _, p := range rest {
			if p.Severity == config.Error {
				t.Errorf("accepted in spite of %v", p)
			}
		}
		last := bytes.Count(text, []byte("\n")) + 1
		for _, p := range everything(rest, err) {
			if p.Line < 1 || p.Line > last || p.What == "" || p.Want == "" {
				t.Errorf("%+v", p)
			}
		}
	})
}

// FuzzParseCompanion looks for texts that make ParseCompanion panic, point outside of the file, or refuse without a reason (or not in
// spite of one).
func FuzzParseCompanion(f *testing.F) {
	f.Add([]byte(companionBroker+companionCF+"canaries: 1\ncanary_selection_params: {cf_org: o}\nplans:\n- {name: p, cf_service_access: enable}\n"), true)
	f.Add([]byte("cf: {authentication: {url: u, user_credentials: {username: u}}}\npolling_interval: -1\nmax_in_flight: .inf\n"), false)
	needs := []config.Need{config.NeedBrokerAPI, config.NeedCF, config.NeedBOSH, config.NeedBrokerName, config.NeedRegistration, config.NeedOffering}
	f.Fuzz(func(t *testing.T, text []byte, strict bool) {
		c, rest, err := config.ParseCompanion("c.yml", text, config.CompanionRules{Needs: needs, Strict: strict})
		var refused *config.Problems
		if (err != nil) != errors.As(err, &refused) || (c == nil) != (err != nil) || err != nil && len(refused.All) == 0 {
			t.Fatalf("%v %v", c, err)
		}
		last := bytes.Count(text, []byte("\n")) + 1
		for _, p := range everything(rest, err) {
			if p.Line < 1 || p.Line > last || p.What == "" || p.Want == "" {
				t.Errorf("%+v", p)
			}
		}
	})
}

// sameConfig compares two configurations by what JSON says of them, which it must be able to say.
func sameConfig(t *testing.T, a, b *config.Config) bool {
	t.Helper()
	first, err := json.Marshal(a)
	if err != nil {
		t.Errorf("it has no JSON: %v", err)
	}
	second, err := json.Marshal(b)
	return err == nil && bytes.Equal(first, second)
}
