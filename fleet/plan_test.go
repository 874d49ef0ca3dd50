package fleet_test

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	. "github.com/on-demand-broker/odb/fleet"
)

func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		canaries     Canaries
		first, after string
	}{
		"no canaries":         {Canaries{}, "", "a b c d e"},
		"a number":            {Canaries{Number: 2}, "a b", "c d e"},
		"more than there are": {Canaries{Number: 9}, "a b c d e", ""},
		"chosen":              {Canaries{Selection: IDs("c", "b")}, "b c", "a d e"},
		"some of the chosen":  {Canaries{Number: 1, Selection: IDs("c", "b")}, "b", "a c d e"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			planned, err := Plan(Options{Members: shop, Canaries: c.canaries})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(idsOf(planned.Canaries)).To(Equal(c.first))
			g.Expect(idsOf(planned.Rest)).To(Equal(c.after))
		})
	}
}

// What is refused is refused in the plan and in the run alike, and nothing is begun.
func TestOptionsThatAreWrong(t *testing.T) {
	for want, options := range map[string]Options{
		"MaxInFlight must not be negative":                   {MaxInFlight: -1},
		"Attempts must not be negative":                      {Attempts: -1},
		"AttemptInterval must not be negative":               {AttemptInterval: -time.Second},
		"PollingInterval must not be negative":               {PollingInterval: -time.Second},
		"Patience must not be negative":                      {Patience: -time.Second},
		"StopAfter must not be negative":                     {StopAfter: -1},
		"Canaries.Number must not be negative":               {Canaries: Canaries{Number: -1}},
		"service instance a is listed twice":                 {Members: []Member{{ID: "a"}, {ID: "b"}, {ID: "a"}}},
		"member 2 of 2 has no id":                            {Members: []Member{{ID: "a"}, {Plan: "small"}}},
		"no service instance matches the canary selection: ": {Members: shop, Canaries: Canaries{Selection: IDs()}},
		"size=small and a half":                              {Members: shop, Canaries: Canaries{Selection: IDs(), Criteria: "size=small and a half"}},
	} {
		t.Run(want, func(t *testing.T) {
			g := NewWithT(t)
			_, err := Plan(options)
			g.Expect(err).To(MatchError(ContainSubstring(want)))
			begun := skipping(func(Member) { t.Error("something was begun") })
			_, runErr := Run(context.Background(), options, begun)
			g.Expect(runErr).To(MatchError(err.Error()))
		})
	}
}
