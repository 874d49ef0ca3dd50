package server

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/on-demand-broker/odb/osbcheck"
)

// The rows that the steps name are rows that are checked, or said to be shown elsewhere.
func TestStepsNameRowsThatThereAre(t *testing.T) {
	options := Options{Logger: slog.New(slog.DiscardHandler)}
	for _, s := range append(everybodysSteps(options), platformsSteps(options)...) {
		if s.does == "" || s.rows == "" {
			t.Errorf("a step doesn't say what it is there for: %+v", s)
		}
		for row := range strings.FieldsSeq(s.rows) {
			if !slices.ContainsFunc(osbcheck.Checks(), func(c osbcheck.Check) bool { return c.Row == row }) {
				t.Errorf("%s: there is no row %s", s.does, row)
			}
		}
	}
}
