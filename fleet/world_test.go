package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	. "github.com/on-demand-broker/odb/fleet"
)

// world is a Work whose operations take what the test says, in a bubble's time. What it doesn't say goes well and takes two seconds.
type world struct {
	latency time.Duration // of each call
	begin   func(member Member, attempt int) (Progress, error)
	poll    func(member Member, age time.Duration) (Progress, error) // asked before the operation's own state
	end     func(member Member) Progress
	takes   func(member Member) time.Duration

	mu       sync.Mutex
	begun    map[string]int         // calls of Begin
	polled   map[string][]time.Time // polls
	order    []string               // the order of the first Begins
	since    map[string]time.Time   // accepted and not seen to have ended
	inFlight int                    // from the call of Begin to the end
	most     int                    // of them, ever
}

func newWorld() *world {
	return &world{
		begun: map[string]int{}, polled: map[string][]time.Time{}, since: map[string]time.Time{},
		begin: func(Member, int) (Progress, error) { return accepted, nil },
		poll:  func(Member, time.Duration) (Progress, error) { return accepted, nil },
		end:   func(Member) Progress { return Progress{State: Succeeded} },
		takes: func(Member) time.Duration { return 2 * time.Second },
	}
}

var (
	accepted = Progress{State: Accepted, Task: 7}
	errOops  = errors.New("oops")
)

func (w *world) Begin(_ context.Context, member Member) (progress Progress, err error) {
	w.mu.Lock()
	w.begun[member.ID]++
	attempt := w.begun[member.ID]
	if attempt == 1 {
		w.order = append(w.order, member.ID)
	}
	w.inFlight++
	w.most = max(w.most, w.inFlight)
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if progress.State != Accepted || err != nil {
			w.inFlight--
			return
		}
		w.since[member.ID] = time.Now()
	}()
	time.Sleep(w.latency)
	progress, err = w.begin(member, attempt)
	progress.Handle = "operation of " + member.ID
	return progress, err
}

func (w *world) Poll(_ context.Context, member Member, handle string) (Progress, error) {
	time.Sleep(w.latency)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.polled[member.ID] = append(w.polled[member.ID], time.Now())
	since, runs := w.since[member.ID]
	if !runs || handle != "operation of "+member.ID {
		return Progress{}, fmt.Errorf("nothing runs on %s under %q", member.ID, handle)
	}
	age := time.Since(since)
	progress, err := w.poll(member, age)
	if age < w.takes(member) || err != nil {
		return progress, err
	}
	delete(w.since, member.ID)
	w.inFlight--
	return w.end(member), nil
}

// membersOf are instance-1, instance-2 and so on, small ones of the organization prod.
func membersOf(count int) []Member {
	members := make([]Member, count)
	for i := range members {
		members[i] = Member{ID: fmt.Sprintf("instance-%d", i+1), PlanID: "small-id", Plan: "small", Org: "prod", Space: "shop"}
	}
	return members
}

// recorder keeps the events.
type recorder struct{ events []Event }

func (r *recorder) record(event Event) { r.events = append(r.events, event) }

// of are the events of one type, in their order.
func of[E Event](r *recorder) []E {
	var found []E
	for _, event := range r.events {
		if e, ok := event.(E); ok {
			found = append(found, e)
		}
	}
	return found
}

// story runs a test in a bubble of its own time, with gomega at hand.
func story(t *testing.T, tell func(g *WithT)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { tell(NewWithT(t)) })
}

// is makes a func of members that is true of some.
func is(ids ...string) func(Member) bool {
	return func(member Member) bool { return slices.Contains(ids, member.ID) }
}

// mustRun runs with options that have to be right.
func mustRun(g *WithT, options Options, work Work) Summary {
	summary, err := Run(context.Background(), options, work)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(summary.Total).To(Equal(summary.Successful+summary.Skipped+summary.Orphans+summary.Deleted+
		len(summary.Busy)+len(summary.Failed)+len(summary.Running)+summary.NotBegun), "each is counted once")
	return summary
}
