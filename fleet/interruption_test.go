package fleet_test

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	. "github.com/on-demand-broker/odb/fleet"
)

func TestDraining(t *testing.T) {
	t.Run("begins nothing more and waits for what runs", func(t *testing.T) {
		story(t, func(g *WithT) {
			w, r, drain := newWorld(), &recorder{}, make(chan struct{})
			w.takes = func(Member) time.Duration { return 10 * time.Minute }
			time.AfterFunc(time.Minute, func() { close(drain) })
			summary := mustRun(g, Options{Members: membersOf(10), MaxInFlight: 3, Drain: drain, Events: r.record}, w)
			g.Expect(summary.Successful).To(Equal(3))
			g.Expect(summary.NotBegun).To(Equal(7))
			g.Expect(summary.Stopped).To(Equal(StopDrained))
			g.Expect(summary.End()).To(Equal(EndFailure))
			g.Expect(summary.Err()).To(MatchError("the run was stopped; 7 of 10 service instances were not begun"))
			g.Expect(of[Halted](r)).To(Equal([]Halted{{Why: StopDrained, Running: 3}}))
		})
	})
	t.Run("makes no difference to a run that has begun everything", func(t *testing.T) {
		story(t, func(g *WithT) {
			drain := make(chan struct{}, 1)
			time.AfterFunc(time.Second, func() { drain <- struct{}{} })
			summary := mustRun(g, Options{Members: membersOf(3), MaxInFlight: 3, Drain: drain}, newWorld())
			g.Expect(summary.End()).To(Equal(EndWell))
		})
	})
	t.Run("begins nothing at all if it is asked for at once", func(t *testing.T) {
		story(t, func(g *WithT) {
			w, drain := newWorld(), make(chan struct{})
			close(drain)
			summary := mustRun(g, Options{Members: membersOf(3), Canaries: Canaries{Number: 1}, Drain: drain}, w)
			g.Expect(w.begun).To(BeEmpty())
			g.Expect(summary.NotBegun).To(Equal(3))
		})
	})
	t.Run("gives up what couldn't be begun, and doesn't wait for busy ones", func(t *testing.T) {
		story(t, func(g *WithT) {
			w, drain := newWorld(), make(chan struct{})
			w.begin = func(member Member, _ int) (Progress, error) {
				if is("instance-1")(member) {
					return Progress{State: Busy}, nil
				}
				return Progress{}, Unavailable{Err: errOops}
			}
			time.AfterFunc(5*time.Second, func() { close(drain) })
			summary := mustRun(g, Options{Members: membersOf(5), Drain: drain}, w)
			g.Expect(summary.Took).To(Equal(5 * time.Second))
			g.Expect(summary.Busy).To(Equal([]string{"instance-1"}))
			g.Expect(summary.Failed).To(HaveLen(1))
			g.Expect(summary.Failed[0].Reason).To(Equal("not tried again since the run was stopped, after no answer: oops"))
			g.Expect(summary.Failed[0].Err).To(MatchError(errOops))
		})
	})
}

// deaf is a Work whose polls take an hour, whatever their ctx says.
type deaf struct{}

func (deaf) Begin(context.Context, Member) (Progress, error) { return accepted, nil }
func (deaf) Poll(context.Context, Member, string) (Progress, error) {
	time.Sleep(time.Hour)
	return Progress{State: Succeeded}, nil
}

func TestLeavingEndsAtOnce(t *testing.T) {
	story(t, func(g *WithT) {
		ctx, leave := context.WithTimeout(context.Background(), time.Minute)
		defer leave()
		drain := make(chan struct{})
		time.AfterFunc(30*time.Second, func() { close(drain) })
		summary, err := Run(ctx, Options{Members: membersOf(5), MaxInFlight: 2, Drain: drain}, deaf{})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(summary.Took).To(Equal(time.Minute), "though the polls go on for an hour")
		g.Expect(summary.Running).To(Equal([]string{"instance-1", "instance-2"}))
		g.Expect(summary.NotBegun).To(Equal(3))
		g.Expect(summary.Stopped).To(Equal(StopLeft))
		g.Expect(summary.End()).To(Equal(EndFailure))
		g.Expect(summary.Err()).To(MatchError(And(ContainSubstring("may still run on these service instances: instance-1, instance-2"),
			ContainSubstring("3 of 5 service instances were not begun"))))
		time.Sleep(2 * time.Hour) // the polls' goroutines end too, or the bubble would complain
	})
}

// A run that was killed is run again: what is done is skipped, and what runs is busy until it has ended.
func TestRunAgainAfterAKill(t *testing.T) {
	story(t, func(g *WithT) {
		w, done := newWorld(), map[string]bool{}
		w.takes = func(Member) time.Duration { return time.Minute }
		deployed := map[string]int{}
		w.end = func(member Member) Progress { done[member.ID] = true; return Progress{State: Succeeded} }
		platform := func(member Member, _ int) (Progress, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			since, runs := w.since[member.ID]
			switch {
			case runs && time.Since(since) < time.Minute:
				return Progress{State: Busy}, nil
			case runs || done[member.ID]:
				return Progress{State: Skipped}, nil
			}
			deployed[member.ID]++
			return accepted, nil
		}
		w.begin = platform
		ctx, kill := context.WithTimeout(context.Background(), 150*time.Second)
		defer kill()
		_, err := Run(ctx, Options{Members: membersOf(20), MaxInFlight: 4}, w)
		g.Expect(err).NotTo(HaveOccurred())

		summary := mustRun(g, Options{Members: membersOf(20), MaxInFlight: 4}, w)
		g.Expect(summary.Successful + summary.Skipped).To(Equal(20))
		g.Expect(summary.End()).To(Equal(EndWell))
		g.Expect(deployed).To(HaveLen(20))
		g.Expect(deployed).To(HaveEach(1), "each exactly once")
	})
}
