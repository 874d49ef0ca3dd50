package fleet_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/on-demand-broker/odb/fleet"
)

// replay is the environment variable that names the one seed to live through again: SCHEDULE=4711 go test ./fleet -run Schedules -v
const replay = "SCHEDULE"

const schedules = 500

// Whatever the members do and whenever the run is stopped: never more than the limit in flight, no slot empty while somebody waits
// for it, canaries before the rest, each begun once an attempt, and a summary that says of each what came of it.
func TestSchedules(t *testing.T) {
	if seed, err := strconv.ParseUint(os.Getenv(replay), 10, 64); err == nil {
		synctest.Test(t, func(t *testing.T) { newSchedule(t, seed).live() })
		return
	}
	synctest.Test(t, func(t *testing.T) {
		for seed := range uint64(schedules) {
			if newSchedule(t, seed).live(); t.Failed() {
				return
			}
		}
	})
}

// schedule is what happens in one run, all of it drawn from the seed, and what was seen of it.
type schedule struct {
	t       *testing.T
	seed    uint64
	options Options
	world   *world
	fates   map[string]*fate

	mu      sync.Mutex
	drained bool
	begun   map[string]int // events, by member
	ended   map[string]State
	busy    map[string]time.Time // waiting for another attempt, and until when
	running map[string]bool
	phase   PhaseBegun
	good    int // ended well, of the phase
	halted  bool
	over    bool
	stages  map[string]int
}

// fate is what happens to a member.
type fate struct {
	busyFor  int           // attempts
	outcome  State         // Failed and Succeeded come from a poll unless atOnce
	atOnce   bool          // told by Begin
	panics   bool          // in the Begin that would have told the outcome
	takes    time.Duration // of the operation
	silences int           // calls without an answer to come
}

func newSchedule(t *testing.T, seed uint64) *schedule {
	random := rand.New(rand.NewPCG(seed, 4))
	s := &schedule{
		t: t, seed: seed, fates: map[string]*fate{}, begun: map[string]int{}, ended: map[string]State{}, busy: map[string]time.Time{},
		running: map[string]bool{}, stages: map[string]int{}, world: newWorld(),
	}
	members := membersOf(random.IntN(30))
	for i := range members {
		members[i].PlanID = []string{"small-id", "big-id"}[random.IntN(2)]
		s.fates[members[i].ID] = drawFate(random)
	}
	drain := make(chan struct{})
	s.options = Options{
		Members: members, MaxInFlight: 1 + random.IntN(8), Attempts: 1 + random.IntN(4), AttemptInterval: time.Duration(1+random.IntN(90)) * time.Second,
		PollingInterval: time.Duration(1+random.IntN(60)) * time.Second, Drain: drain, Events: s.see,
	}
	if random.IntN(2) == 0 {
		s.options.Canaries.Number = random.IntN(5)
	}
	if len(members) > 0 && random.IntN(3) == 0 {
		s.options.Canaries.Selection = IDs(members[random.IntN(len(members))].ID, members[random.IntN(len(members))].ID)
	}
	if random.IntN(4) == 0 {
		s.options.StopAfter = 1 + random.IntN(4)
	}
	if random.IntN(4) == 0 {
		time.AfterFunc(time.Duration(random.IntN(600))*time.Second, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.drained = true
			close(drain)
		})
	}
	s.world.latency = time.Duration(random.IntN(300)) * time.Millisecond
	s.world.begin, s.world.poll, s.world.end = s.begin, s.poll, s.end
	s.world.takes = func(member Member) time.Duration { return s.fates[member.ID].takes }
	return s
}

func drawFate(random *rand.Rand) *fate {
	fate := &fate{
		outcome: []State{Succeeded, Succeeded, Succeeded, Succeeded, Skipped, Gone, Orphan, Failed}[random.IntN(8)],
		takes:   time.Duration(random.IntN(300)) * time.Second,
	}
	if random.IntN(4) == 0 {
		fate.busyFor = random.IntN(6)
	}
	if random.IntN(5) == 0 {
		fate.silences = random.IntN(4)
	}
	fate.atOnce = fate.outcome == Skipped || fate.outcome == Gone || fate.outcome == Orphan || random.IntN(5) == 0
	fate.panics = fate.outcome == Failed && random.IntN(2) == 0
	return fate
}

// begin is called without the world's lock, by one goroutine a member; poll and end are called under it.
func (s *schedule) begin(member Member, _ int) (Progress, error) {
	fate := s.fates[member.ID]
	switch {
	case fate.silences > 0 && s.seed%2 == 0:
		fate.silences--
		return Progress{}, Unavailable{Err: errOops}
	case fate.busyFor > 0:
		fate.busyFor--
		return Progress{State: Busy}, nil
	case fate.panics:
		panic("the work is at fault")
	case fate.atOnce:
		return Progress{State: fate.outcome}, nil
	}
	return accepted, nil
}

func (s *schedule) poll(member Member, _ time.Duration) (Progress, error) {
	if fate := s.fates[member.ID]; fate.silences > 0 {
		fate.silences--
		return Progress{}, Unavailable{Err: errOops}
	}
	return accepted, nil
}

func (s *schedule) end(member Member) Progress { return Progress{State: s.fates[member.ID].outcome} }

// live runs it, looks at it at random moments, and compares the end with what had to come.
func (s *schedule) live() {
	random := rand.New(rand.NewPCG(s.seed, 5))
	type result struct {
		summary Summary
		err     error
	}
	results := make(chan result, 1)
	go func() {
		summary, err := Run(context.Background(), s.options, s.world)
		results <- result{summary, err}
	}()
	for {
		time.Sleep(time.Duration(random.IntN(30_000)) * time.Millisecond)
		synctest.Wait()
		select {
		case result := <-results:
			if result.err != nil {
				s.fail("it couldn't be run: %v", result.err)
			}
			s.compare(result.summary)
			return
		default:
			s.look()
		}
	}
}

func (s *schedule) fail(format string, values ...any) {
	s.t.Helper()
	s.t.Errorf("seed %d (%d members, %d in flight): %s", s.seed, len(s.options.Members), s.options.MaxInFlight, fmt.Sprintf(format, values...))
}
