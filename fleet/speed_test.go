package fleet_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	. "github.com/on-demand-broker/odb/fleet"
)

// pollsOf counts all polls.
func (w *world) pollsOf() int {
	polls := 0
	for _, times := range w.polled {
		polls += len(times)
	}
	return polls
}

// What an operator waits for: a thousand instances, tasks of two seconds, fifty in flight. The ideal is that each slot is always
// in use and each end is seen at once.
func TestAThousandMembersTakeHardlyMoreThanTheIdeal(t *testing.T) {
	story(t, func(g *WithT) {
		const ideal = 1000 / 50 * 2 * time.Second
		w := newWorld()
		w.latency = 20 * time.Millisecond
		summary := mustRun(g, Options{Members: membersOf(1000), MaxInFlight: 50}, w)
		g.Expect(summary.Successful).To(Equal(1000))
		g.Expect(w.most).To(Equal(50))
		g.Expect(summary.Took).To(BeNumerically("<=", ideal*115/100))
		t.Logf("it took %s, %.3f × the ideal, with %.2f polls a member", summary.Took, float64(summary.Took)/float64(ideal), float64(w.pollsOf())/1000)
		g.Expect(w.pollsOf()).To(BeNumerically("<=", 2000), "with the request that begins it, no more than three each")
	})
}

// Where tasks differ by far, no slot waits for another one's.
func TestASlotThatFreesIsUsedAtOnce(t *testing.T) {
	story(t, func(g *WithT) {
		w := newWorld()
		w.takes = func(member Member) time.Duration {
			if member.ID == "instance-1" {
				return time.Hour
			}
			return time.Minute
		}
		summary := mustRun(g, Options{Members: membersOf(61), MaxInFlight: 2}, w)
		g.Expect(summary.Successful).To(Equal(61))
		g.Expect(summary.Took).To(BeNumerically("<", 66*time.Minute), "60 of a minute go past the one of an hour")
	})
}

// Operations of any length are seen to end soon, and none is left alone for longer than the polling interval.
func TestPollsKeepToTheAgeAndThePollingInterval(t *testing.T) {
	for _, takes := range []time.Duration{0, time.Second, 30 * time.Second, 10 * time.Minute, 3 * time.Hour} {
		t.Run(takes.String(), func(t *testing.T) {
			story(t, func(g *WithT) {
				w := newWorld()
				w.takes = func(Member) time.Duration { return takes }
				summary := mustRun(g, Options{Members: membersOf(3), PollingInterval: 45 * time.Second}, w)
				g.Expect(summary.Took).To(BeNumerically("<", 3*max(time.Second, takes*110/100+300*time.Millisecond)), "nobody looks within the first second")
				for _, times := range w.polled {
					for i := range times[1:] {
						g.Expect(times[i+1].Sub(times[i])).To(BeNumerically("<=", 45*time.Second))
					}
				}
			})
		})
	}
}

// skipping is a Work that has nothing to do, and tells of each member.
type skipping func(Member)

func (s skipping) Begin(_ context.Context, member Member) (Progress, error) {
	s(member)
	return Progress{State: Skipped}, nil
}

func (s skipping) Poll(context.Context, Member, string) (Progress, error) {
	return Progress{}, errors.New("nothing runs")
}

// BenchmarkRun tells what the engine itself costs for 50 000 members: time, and the bytes it keeps at the end, beyond their list.
func BenchmarkRun(b *testing.B) {
	members := membersOf(50_000)
	for b.Loop() {
		before, kept := heap(), uint64(0)
		work := skipping(func(member Member) {
			if member.ID == members[len(members)-1].ID {
				kept = heap() - before
			}
		})
		summary, err := Run(context.Background(), Options{Members: members, MaxInFlight: 50}, work)
		if err != nil || summary.Skipped != len(members) {
			b.Fatalf("%v %+v", err, summary)
		}
		b.ReportMetric(float64(kept)/float64(len(members)), "B/member")
	}
}

// heap is what is in use of it.
func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
