package fleet_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/on-demand-broker/odb/fleet"
)

// What an operator waits for: a thousand instances, tasks of two seconds, fifty in flight. The ideal is that each slot is always
// busy and each end is seen at once.
func TestAThousandMembersTakeHardlyMoreThanTheIdeal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ideal = 1000 / 50 * 2 * time.Second
		w := newWorld()
		w.latency = 20 * time.Millisecond
		summary, err := Run(context.Background(), Options{Members: membersOf(1000), MaxInFlight: 50}, w)
		if err != nil || summary.Successful != 1000 || w.endedWell != 1000 {
			t.Fatalf("%v, %+v", err, summary)
		}
		if w.most != 50 {
			t.Errorf("%d were in flight at the most, want 50", w.most)
		}
		if summary.Took > ideal*115/100 {
			t.Errorf("it took %s, more than 1.15 × %s", summary.Took, ideal)
		}
		polls := 0
		for _, count := range w.polls {
			polls += count
		}
		t.Logf("took %s (ideal %s), %.2f polls a member", summary.Took, ideal, float64(polls)/1000)
	})
}
