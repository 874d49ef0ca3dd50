package fleet_test

import (
	"context"
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	. "github.com/on-demand-broker/odb/fleet"
)

func mustParse(g *WithT, terms ...string) Filter {
	filter, err := ParseFilter(terms)
	g.Expect(err).NotTo(HaveOccurred())
	return filter
}

func TestCanariesComeBeforeTheRest(t *testing.T) {
	story(t, func(g *WithT) {
		w, r := newWorld(), &recorder{}
		summary := mustRun(g, Options{Members: membersOf(10), MaxInFlight: 5, Canaries: Canaries{Number: 2}, Events: r.record}, w)
		g.Expect(summary.Successful).To(Equal(10))
		g.Expect(of[PhaseBegun](r)).To(Equal([]PhaseBegun{{Phase: PhaseCanaries, Members: 2}, {Phase: PhaseRest, Members: 8}}))
		g.Expect(of[PhaseEnded](r)).To(Equal([]PhaseEnded{{Phase: PhaseCanaries, OK: true}, {Phase: PhaseRest, OK: true}}))
		begun, ended := 0, 0
		for _, event := range r.events {
			switch e := event.(type) {
			case MemberBegun:
				begun++
				g.Expect(e.Canary).To(Equal(begun <= 2))
				if begun > 2 {
					g.Expect(ended).To(BeNumerically(">=", 2), "the canaries have ended before %s is begun", e.Member.ID)
				}
			case MemberEnded:
				ended++
			}
		}
	})
}

func TestCanariesAreChosen(t *testing.T) {
	members := membersOf(6)
	members[2].Org, members[4].Org = "try", "try"
	for name, c := range map[string]struct {
		canaries Canaries
		first    []string
	}{
		"all that match":                    {Canaries{Selection: IDs("instance-5", "instance-3")}, []string{"instance-3", "instance-5"}},
		"as many as there are":              {Canaries{Number: 100}, []string{"instance-1", "instance-2", "instance-3", "instance-4", "instance-5", "instance-6"}},
		"a number of those that match":      {Canaries{Number: 1, Selection: IDs("instance-5", "instance-3")}, []string{"instance-3"}},
		"a number greater than the matches": {Canaries{Number: 3, Selection: IDs("instance-6")}, []string{"instance-6"}},
		"no number and no selection":        {Canaries{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(g *WithT) {
				r := &recorder{}
				mustRun(g, Options{Members: members, Canaries: c.canaries, Events: r.record}, newWorld())
				var first []string
				for _, begun := range of[MemberBegun](r) {
					if begun.Canary {
						first = append(first, begun.Member.ID)
					}
				}
				g.Expect(first).To(Equal(c.first))
				g.Expect(of[MemberBegun](r)).To(HaveLen(6), "and then the others, once each")
			})
		})
	}
}

func TestCanariesByOrganization(t *testing.T) {
	story(t, func(g *WithT) {
		members := membersOf(4)
		members[3].Org = "try"
		w, r := newWorld(), &recorder{}
		mustRun(g, Options{Members: members, Canaries: Canaries{Selection: mustParse(g, "org=try")}, Events: r.record}, w)
		g.Expect(w.order).To(Equal([]string{"instance-4", "instance-1", "instance-2", "instance-3"}))
		g.Expect(of[PhaseBegun](r)[0].Criteria).To(Equal("org=try"))
	})
}

func TestCanariesThatCannotBe(t *testing.T) {
	story(t, func(g *WithT) {
		w := newWorld()
		run := func(members []Member, canaries Canaries) error {
			_, err := Run(context.Background(), Options{Members: members, Canaries: canaries}, w)
			return err
		}
		g.Expect(run(membersOf(3), Canaries{Selection: mustParse(g, "org=nowhere")})).To(MatchError(ErrNoCanary))
		g.Expect(run(membersOf(3), Canaries{Number: 1, Selection: IDs()})).To(MatchError(ErrNoCanary))
		g.Expect(run(membersOf(3), Canaries{Selection: IDs("instance-1", "stranger")})).To(
			And(MatchError(ErrUnknownCanary), MatchError(ContainSubstring("stranger"))))
		g.Expect(w.begun).To(BeEmpty(), "nothing was begun")
		g.Expect(run(nil, Canaries{Selection: mustParse(g, "org=nowhere")})).To(Succeed(), "where nobody is, nobody is missing")
	})
}

func TestAFailedCanaryKeepsTheRestFromBeingBegun(t *testing.T) {
	story(t, func(g *WithT) {
		w, r := newWorld(), &recorder{}
		w.end = func(member Member) Progress {
			if is("instance-1")(member) {
				return Progress{State: Failed, Description: "disk is full"}
			}
			return Progress{State: Succeeded}
		}
		w.takes = func(member Member) time.Duration {
			return map[bool]time.Duration{true: time.Second, false: time.Minute}[is("instance-1")(member)]
		}
		summary := mustRun(g, Options{Members: membersOf(10), MaxInFlight: 2, Canaries: Canaries{Number: 4}, Events: r.record}, w)
		g.Expect(w.order).To(ConsistOf("instance-1", "instance-2"), "not even another canary")
		g.Expect(summary.Successful).To(Equal(1), "what ran was waited for")
		g.Expect(summary.NotBegun).To(Equal(8))
		g.Expect(summary.Stopped).To(Equal(StopCanaries))
		g.Expect(summary.End()).To(Equal(EndSomeFailed))
		g.Expect(summary.Err()).To(MatchError(And(
			ContainSubstring("[instance-1] operation failed: bosh task id 7: disk is full"),
			ContainSubstring("not all canaries were processed successfully; 8 of 10 service instances were not begun"))))
		g.Expect(of[PhaseEnded](r)).To(Equal([]PhaseEnded{{Phase: PhaseCanaries, OK: false}}))
		g.Expect(of[Halted](r)).To(Equal([]Halted{{Why: StopCanaries, Running: 1}}))
	})
}

// What is gone or has no deployment proves nothing.
func TestOthersTakeThePlaceOfCanariesThatAreGone(t *testing.T) {
	story(t, func(g *WithT) {
		w, r := newWorld(), &recorder{}
		w.begin = func(member Member, _ int) (Progress, error) {
			switch member.ID {
			case "instance-1":
				return Progress{State: Gone}, nil
			case "instance-2":
				return Progress{State: Orphan}, nil
			case "instance-3":
				return Progress{State: Skipped}, nil
			}
			return accepted, nil
		}
		summary := mustRun(g, Options{Members: membersOf(10), Canaries: Canaries{Number: 2}, Events: r.record}, w)
		var canaries []string
		for _, begun := range of[MemberBegun](r) {
			if begun.Canary {
				canaries = append(canaries, begun.Member.ID)
			}
		}
		g.Expect(canaries).To(Equal([]string{"instance-1", "instance-2", "instance-3", "instance-4"}))
		g.Expect(summary.Deleted).To(Equal(1))
		g.Expect(summary.Orphans).To(Equal(1))
		g.Expect(summary.Skipped).To(Equal(1))
		g.Expect(summary.Successful).To(Equal(7))
		g.Expect(summary.Err()).NotTo(HaveOccurred())
	})
}

func TestCanariesThatAreAllGoneHoldNobodyUp(t *testing.T) {
	story(t, func(g *WithT) {
		w := newWorld()
		w.begin = func(member Member, _ int) (Progress, error) {
			if is("instance-1", "instance-2")(member) {
				return Progress{State: Gone}, nil
			}
			return accepted, nil
		}
		summary := mustRun(g, Options{Members: membersOf(5), Canaries: Canaries{Selection: IDs("instance-1", "instance-2")}}, w)
		g.Expect(summary.Successful).To(Equal(3))
		g.Expect(summary.End()).To(Equal(EndWell))
	})
}

func TestACanaryThatIsBusy(t *testing.T) {
	busyAt := func(g *WithT, options Options, attempts int) (*world, *recorder, Summary) {
		w, r := newWorld(), &recorder{}
		w.begin = func(member Member, attempt int) (Progress, error) {
			if is("instance-1")(member) && attempt <= attempts {
				return Progress{State: Busy}, nil
			}
			return accepted, nil
		}
		options.Events, options.Attempts = r.record, 3
		return w, r, mustRun(g, options, w)
	}
	t.Run("is replaced where anybody may be one, and waits among the rest", func(t *testing.T) {
		story(t, func(g *WithT) {
			w, r, summary := busyAt(g, Options{Members: membersOf(5), Canaries: Canaries{Number: 1}}, 1)
			g.Expect(summary.Successful).To(Equal(5))
			g.Expect(w.begun["instance-1"]).To(Equal(2))
			g.Expect(of[PhaseBegun](r)).To(ContainElement(PhaseBegun{Phase: PhaseRest, Members: 4}))
			last := of[MemberBegun](r)[5]
			g.Expect(last.Member.ID).To(Equal("instance-1"))
			g.Expect(last.Attempt).To(Equal(2))
			g.Expect(last.Canary).To(BeFalse())
		})
	})
	t.Run("is waited for where it was chosen", func(t *testing.T) {
		story(t, func(g *WithT) {
			w, _, summary := busyAt(g, Options{Members: membersOf(3), Canaries: Canaries{Selection: IDs("instance-1")}}, 2)
			g.Expect(summary.Successful).To(Equal(3))
			g.Expect(summary.Took).To(BeNumerically(">", 3*time.Minute))
			g.Expect(w.order).To(Equal([]string{"instance-1", "instance-2", "instance-3"}))
		})
	})
	t.Run("and stays so keeps the rest from being begun", func(t *testing.T) {
		story(t, func(g *WithT) {
			w, _, summary := busyAt(g, Options{Members: membersOf(3), Canaries: Canaries{Selection: IDs("instance-1")}}, 3)
			g.Expect(w.begun).To(Equal(map[string]int{"instance-1": 3}))
			g.Expect(summary.Busy).To(Equal([]string{"instance-1"}))
			g.Expect(summary.Stopped).To(Equal(StopCanaries))
			g.Expect(summary.End()).To(Equal(EndSomeBusy))
			incomplete := Incomplete{}
			g.Expect(errors.As(summary.Err(), &incomplete)).To(BeTrue())
			g.Expect(incomplete).To(MatchError(ContainSubstring("not all canaries were processed successfully")))
		})
	})
}
