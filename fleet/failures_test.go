package fleet_test

import (
	"context"
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	. "github.com/on-demand-broker/odb/fleet"
)

// However a failure is told, it is in the summary, the others go on, and the end isn't a good one.
func TestFailuresAreNeverSwallowed(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*world)
		failure Failure
	}{
		"told by the operation": {
			func(w *world) {
				w.end = func(Member) Progress { return Progress{State: Failed, Description: "disk is full"} }
			},
			Failure{Task: 7, Reason: "disk is full"},
		},
		"told without a reason": {
			func(w *world) { w.end = func(Member) Progress { return Progress{State: Failed, Task: 9} } },
			Failure{Task: 9, Reason: "no reason was given"},
		},
		"told when it is begun": {
			func(w *world) {
				w.begin = func(Member, int) (Progress, error) {
					return Progress{State: Failed, Description: "Cloud Foundry won't"}, nil
				}
			},
			Failure{Reason: "Cloud Foundry won't"},
		},
		"an error when it is begun": {
			func(w *world) { w.begin = func(Member, int) (Progress, error) { return Progress{}, errOops } },
			Failure{Reason: "oops", Err: errOops},
		},
		"an error beside a good state": {
			func(w *world) {
				w.begin = func(Member, int) (Progress, error) { return Progress{State: Succeeded}, errOops }
			},
			Failure{Reason: "oops", Err: errOops},
		},
		"an error at a poll": {
			func(w *world) { w.poll = func(Member, time.Duration) (Progress, error) { return Progress{}, errOops } },
			Failure{Task: 7, Reason: "oops", Err: errOops},
		},
		"an answer that says nothing": {
			func(w *world) { w.end = func(Member) Progress { return Progress{} } },
			Failure{Task: 7, Reason: "a fault of this program: the answer had no known state: State(0)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(g *WithT) {
				bad, rest := newWorld(), newWorld()
				c.change(bad)
				r := &recorder{}
				work := split{is("instance-2"), bad, rest}
				summary := mustRun(g, Options{Members: membersOf(4), Events: r.record}, work)
				c.failure.ID = "instance-2"
				g.Expect(summary.Failed).To(Equal([]Failure{c.failure}))
				g.Expect(summary.Successful).To(Equal(3))
				g.Expect(summary.End()).To(Equal(EndSomeFailed))
				g.Expect(summary.Err()).To(MatchError(c.failure.String()))
				if c.failure.Err != nil {
					g.Expect(summary.Err()).To(MatchError(c.failure.Err))
				}
				ended := of[MemberEnded](r)
				g.Expect(ended[1].State).To(Equal(Failed))
				g.Expect(ended[1].Reason).To(Equal(c.failure.Reason))
			})
		})
	}
}

// split hands those that are chosen to one Work, and the others to another.
type split struct {
	chosen    func(Member) bool
	one, rest Work
}

func (s split) of(member Member) Work {
	if s.chosen(member) {
		return s.one
	}
	return s.rest
}

func (s split) Begin(ctx context.Context, member Member) (Progress, error) {
	return s.of(member).Begin(ctx, member)
}

func (s split) Poll(ctx context.Context, member Member, handle string) (Progress, error) {
	return s.of(member).Poll(ctx, member, handle)
}

func TestAPanicFailsItsMemberAndIsTold(t *testing.T) {
	story(t, func(g *WithT) {
		w, r := newWorld(), &recorder{}
		w.begin = func(member Member, _ int) (Progress, error) {
			if is("instance-1")(member) {
				panic("index out of range")
			}
			return accepted, nil
		}
		w.end = func(member Member) Progress { return Progress{State: Succeeded} }
		summary := mustRun(g, Options{Members: membersOf(3), Events: r.record}, w)
		g.Expect(summary.Successful).To(Equal(2))
		g.Expect(summary.End()).To(Equal(EndSomeFailed))
		fault := PanicError{}
		g.Expect(errors.As(summary.Err(), &fault)).To(BeTrue())
		g.Expect(fault.Value).To(Equal("index out of range"))
		g.Expect(string(fault.Stack)).To(ContainSubstring("failures_test.go"))
	})
}

func TestSeveralFailuresAreListed(t *testing.T) {
	story(t, func(g *WithT) {
		w := newWorld()
		w.end = func(Member) Progress { return Progress{State: Failed, Description: "disk is full"} }
		g.Expect(mustRun(g, Options{Members: membersOf(2)}, w).Err()).To(MatchError("2 errors occurred:\n" +
			"* [instance-1] operation failed: bosh task id 7: disk is full\n* [instance-2] operation failed: bosh task id 7: disk is full"))
	})
}

func TestStopsAfterSoManyFailures(t *testing.T) {
	story(t, func(g *WithT) {
		w, r := newWorld(), &recorder{}
		w.end = func(member Member) Progress {
			if is("instance-2", "instance-3", "instance-4")(member) {
				return Progress{State: Failed}
			}
			return Progress{State: Succeeded}
		}
		summary := mustRun(g, Options{Members: membersOf(10), StopAfter: 2, Events: r.record}, w)
		g.Expect(w.order).To(Equal([]string{"instance-1", "instance-2", "instance-3"}))
		g.Expect(summary.NotBegun).To(Equal(7))
		g.Expect(summary.Stopped).To(Equal(StopFailures))
		g.Expect(summary.End()).To(Equal(EndSomeFailed))
	})
}

func TestBusyOnesAreTriedAgain(t *testing.T) {
	t.Run("after the others, with growing pauses, also when some failed", func(t *testing.T) {
		story(t, func(g *WithT) {
			w, r := newWorld(), &recorder{}
			w.begin = func(member Member, attempt int) (Progress, error) {
				if is("instance-1")(member) && attempt < 4 {
					return Progress{State: Busy}, nil
				}
				return accepted, nil
			}
			w.end = func(member Member) Progress {
				if is("instance-2")(member) {
					return Progress{State: Failed}
				}
				return Progress{State: Succeeded}
			}
			began := time.Now()
			summary := mustRun(g, Options{Members: membersOf(3), AttemptInterval: time.Minute, Events: r.record}, w)
			g.Expect(w.order).To(Equal([]string{"instance-1", "instance-2", "instance-3"}))
			g.Expect(summary.Successful).To(Equal(2))
			g.Expect(summary.Failed).To(HaveLen(1))
			g.Expect(summary.Busy).To(BeEmpty())
			pauses := []time.Duration{}
			for _, busy := range of[MemberBusy](r) {
				pauses = append(pauses, busy.RetryIn)
			}
			g.Expect(pauses).To(Equal([]time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute}))
			g.Expect(time.Since(began)).To(BeNumerically("~", 7*time.Minute, 10*time.Second))
		})
	})
	t.Run("as often as is allowed", func(t *testing.T) {
		story(t, func(g *WithT) {
			w, r := newWorld(), &recorder{}
			w.begin = func(member Member, _ int) (Progress, error) {
				if is("instance-1")(member) {
					return Progress{State: Busy}, nil
				}
				return accepted, nil
			}
			summary := mustRun(g, Options{Members: membersOf(3), Attempts: 2, Events: r.record}, w)
			g.Expect(w.begun["instance-1"]).To(Equal(2))
			g.Expect(summary.Busy).To(Equal([]string{"instance-1"}))
			g.Expect(summary.End()).To(Equal(EndSomeBusy))
			g.Expect(summary.Err()).To(MatchError("other operations were in progress on these service instances at each attempt: instance-1"))
			g.Expect(of[MemberEnded](r)[2].State).To(Equal(Busy))
		})
	})
	t.Run("also if that is only found out while it is polled", func(t *testing.T) {
		story(t, func(g *WithT) {
			w := newWorld()
			w.end = func(member Member) Progress {
				if w.begun[member.ID] == 1 {
					return Progress{State: Busy}
				}
				return Progress{State: Succeeded}
			}
			g.Expect(mustRun(g, Options{Members: membersOf(2)}, w).Successful).To(Equal(2))
		})
	})
}

func TestWhileNobodyAnswers(t *testing.T) {
	// awayFor is a world whose calls for these members get no answer from a minute's age of the run on.
	awayFor := func(away time.Duration, chosen func(Member) bool) *world {
		w, began := newWorld(), time.Now()
		answers := func(member Member) (Progress, error) {
			age := time.Since(began)
			if chosen(member) && age >= time.Minute && age < time.Minute+away {
				return Progress{}, Unavailable{Err: errOops}
			}
			return accepted, nil
		}
		w.takes = func(Member) time.Duration { return 50 * time.Second }
		w.begin = func(member Member, _ int) (Progress, error) { return answers(member) }
		w.poll = func(member Member, _ time.Duration) (Progress, error) { return answers(member) }
		return w
	}
	everybody := func(Member) bool { return true }

	t.Run("for a while, it is asked again, and told", func(t *testing.T) {
		story(t, func(g *WithT) {
			r := &recorder{}
			summary := mustRun(g, Options{Members: membersOf(20), MaxInFlight: 3, Events: r.record}, awayFor(5*time.Minute, everybody))
			g.Expect(summary.Successful).To(Equal(20))
			trouble := of[MemberTrouble](r)
			g.Expect(trouble).NotTo(BeEmpty())
			g.Expect(trouble[0].Err).To(MatchError(errOops))
			g.Expect(len(trouble)).To(BeNumerically("<", 60), "with growing pauses")
		})
	})
	t.Run("on a member's account for long, that member has failed", func(t *testing.T) {
		story(t, func(g *WithT) {
			summary := mustRun(g, Options{Members: membersOf(20), MaxInFlight: 2}, awayFor(time.Hour, is("instance-10")))
			g.Expect(summary.Successful).To(Equal(19))
			g.Expect(summary.Failed).To(HaveLen(1))
			g.Expect(summary.Failed[0].ID).To(Equal("instance-10"))
			g.Expect(summary.Failed[0].Reason).To(Equal("no answer for 10m0s: oops"))
			g.Expect(summary.End()).To(Equal(EndSomeFailed))
		})
	})
	t.Run("for long at all, nothing more is begun", func(t *testing.T) {
		story(t, func(g *WithT) {
			w := awayFor(24*time.Hour, everybody)
			summary := mustRun(g, Options{Members: membersOf(20), MaxInFlight: 3, Patience: 5 * time.Minute}, w)
			g.Expect(summary.Stopped).To(Equal(StopUnreachable))
			g.Expect(summary.End()).To(Equal(EndFailure))
			g.Expect(summary.Successful).To(Equal(3))
			g.Expect(len(w.order)).To(BeNumerically("<=", 7), "none after those that found out, and the one that freed a slot meanwhile")
			g.Expect(summary.Took).To(BeNumerically("<", 12*time.Minute))
			g.Expect(summary.Err()).To(MatchError(ContainSubstring("nobody answered any more")))
		})
	})
}
