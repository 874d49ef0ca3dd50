package fleet_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	. "github.com/on-demand-broker/odb/fleet"
)

// world is a Work whose operations take what the test says, in the bubble's time.
type world struct {
	mu      sync.Mutex
	latency time.Duration // of each call
	// begin and end say what comes of a member; by default it is Accepted, takes two seconds and ends well.
	begin func(member Member, attempt int) (Progress, error)
	end   func(member Member) Progress
	takes func(member Member) time.Duration

	begun     map[string]int // calls of Begin
	polls     map[string]int
	order     []string
	since     map[string]time.Time // accepted and not ended
	inFlight  int                  // from Begin's call to the end of its operation
	most      int
	endedWell int
}

func newWorld() *world {
	return &world{
		begun: map[string]int{}, polls: map[string]int{}, since: map[string]time.Time{},
		begin: func(Member, int) (Progress, error) { return Progress{State: Accepted, Task: 7}, nil },
		end:   func(Member) Progress { return Progress{State: Succeeded} },
		takes: func(Member) time.Duration { return 2 * time.Second },
	}
}

func (w *world) Begin(_ context.Context, member Member) (Progress, error) {
	w.mu.Lock()
	w.begun[member.ID]++
	w.order = append(w.order, member.ID)
	w.inFlight++
	w.most = max(w.most, w.inFlight)
	attempt := w.begun[member.ID]
	w.mu.Unlock()
	time.Sleep(w.latency)
	progress, err := w.begin(member, attempt)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil || progress.State != Accepted {
		w.inFlight--
		return progress, err
	}
	w.since[member.ID] = time.Now()
	progress.Handle = "operation of " + member.ID
	return progress, nil
}

func (w *world) Poll(_ context.Context, member Member, handle string) (Progress, error) {
	time.Sleep(w.latency)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.polls[member.ID]++
	since, runs := w.since[member.ID]
	if !runs || handle != "operation of "+member.ID {
		return Progress{}, fmt.Errorf("nothing runs on %s under %q", member.ID, handle)
	}
	if time.Since(since) < w.takes(member) {
		return Progress{State: Accepted}, nil
	}
	delete(w.since, member.ID)
	w.inFlight--
	ended := w.end(member)
	if ended.State == Succeeded {
		w.endedWell++
	}
	return ended, nil
}

func membersOf(count int) []Member {
	members := make([]Member, count)
	for i := range members {
		members[i] = Member{ID: fmt.Sprintf("instance-%d", i+1), PlanID: "small-id", Plan: "small"}
	}
	return members
}
