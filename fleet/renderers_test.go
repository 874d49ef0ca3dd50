package fleet_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	. "github.com/on-demand-broker/odb/fleet"
)

// mixedFleet is a run in which there is one of everything.
func mixedFleet(g *WithT, events func(Event)) Summary {
	w := newWorld()
	w.begin = func(member Member, attempt int) (Progress, error) {
		switch {
		case is("instance-2")(member) && attempt == 1, is("instance-8")(member):
			return Progress{State: Busy}, nil
		case is("instance-3")(member):
			return Progress{State: Skipped}, nil
		case is("instance-4")(member):
			return Progress{State: Gone}, nil
		case is("instance-5")(member):
			return Progress{State: Orphan}, nil
		case is("instance-6")(member) && attempt == 1:
			return Progress{}, Unavailable{Err: errOops}
		case is("instance-7")(member):
			return Progress{State: Accepted}, nil
		}
		return accepted, nil
	}
	w.end = func(member Member) Progress {
		if is("instance-7")(member) {
			return Progress{State: Failed, Task: 9, Description: "disk is full\n\x1b[2Jreally"}
		}
		return Progress{State: Succeeded}
	}
	w.poll = func(_ Member, age time.Duration) (Progress, error) {
		return Progress{State: Accepted, Stage: "Updating instance: cache/" + string('0'+rune(age/time.Second))}, nil
	}
	members := membersOf(8)
	members[0].Name = "orders"
	return mustRun(g, Options{
		Members: members, Attempts: 2, Events: events, AttemptInterval: 10 * time.Second,
		Canaries: Canaries{Number: 1, Selection: mustParse(g, "org=prod"), Criteria: "cf_org: prod"},
	}, w)
}

// The words are those of spec/errands.md §3: somebody's scripts look for them.
func TestPlainLines(t *testing.T) {
	story(t, func(g *WithT) {
		var lines []string
		plain := NewPlain("upgrade-all", func(line string) error { lines = append(lines, line); return nil })
		mixedFleet(g, plain.Render)
		g.Expect(plain.Close()).To(Succeed())
		g.Expect(strings.Join(lines, "\n") + "\n").To(Equal(plainLines))
	})
}

const plainLines = `[upgrade-all] STARTING OPERATION with 1 concurrent workers
[upgrade-all] Service Instances: instance-1 instance-2 instance-3 instance-4 instance-5 instance-6 instance-7 instance-8
[upgrade-all] Total Service Instances found: 8
[upgrade-all] STARTING CANARIES: 1 canaries with selection criteria: cf_org: prod
[upgrade-all] [instance-1] Starting to process service instance 1 of 8
[upgrade-all] [instance-1] Result: operation accepted
[upgrade-all] [instance-1] Waiting for operation to complete: bosh task id 7
[upgrade-all] [instance-1] Result: Service Instance operation success
[upgrade-all] Progress summary: Number of successful operations so far: 1; Number of skipped operations so far: 0; Number of service instance orphans detected so far: 0; Number of deleted instances before operation could happen: 0; Number of operations in progress (to retry) so far: 0; Number of service instances that failed to process so far: 0; Number of operations running: 0; Number of service instances not started: 7
[upgrade-all] FINISHED CANARIES
[upgrade-all] Processing all remaining service instances: 7
[upgrade-all] [instance-2] Starting to process service instance 2 of 8
[upgrade-all] [instance-2] Result: operation in progress
[upgrade-all] [instance-2] Attempt 1 of 2 was in vain, the next is in 10s or later
[upgrade-all] [instance-3] Starting to process service instance 3 of 8
[upgrade-all] [instance-3] Result: instance already up to date - operation skipped
[upgrade-all] [instance-4] Starting to process service instance 4 of 8
[upgrade-all] [instance-4] Result: already deleted from platform
[upgrade-all] [instance-5] Starting to process service instance 5 of 8
[upgrade-all] [instance-5] Result: orphan service instance detected - no corresponding bosh deployment
[upgrade-all] [instance-6] Starting to process service instance 6 of 8
[upgrade-all] [instance-6] No answer, asking again in 1s: oops
[upgrade-all] [instance-6] Result: operation accepted
[upgrade-all] [instance-6] Waiting for operation to complete: bosh task id 7
[upgrade-all] [instance-6] Result: Service Instance operation success
[upgrade-all] [instance-7] Starting to process service instance 7 of 8
[upgrade-all] [instance-7] Result: operation accepted
[upgrade-all] [instance-7] Waiting for operation to complete
[upgrade-all] [instance-7] Result: Service Instance operation failure
[upgrade-all] [instance-7] Operation failed: bosh task id 9: disk is full [2Jreally
[upgrade-all] [instance-8] Starting to process service instance 8 of 8
[upgrade-all] [instance-8] Result: operation in progress
[upgrade-all] [instance-8] Attempt 1 of 2 was in vain, the next is in 10s or later
[upgrade-all] [instance-2] Starting to process service instance 2 of 8, attempt 2
[upgrade-all] [instance-2] Result: operation accepted
[upgrade-all] [instance-2] Waiting for operation to complete: bosh task id 7
[upgrade-all] [instance-2] Result: Service Instance operation success
[upgrade-all] [instance-8] Starting to process service instance 8 of 8, attempt 2
[upgrade-all] [instance-8] Result: operation in progress
[upgrade-all] [instance-8] Given up: busy at each attempt
[upgrade-all] Progress summary: Number of successful operations so far: 3; Number of skipped operations so far: 1; Number of service instance orphans detected so far: 1; Number of deleted instances before operation could happen: 1; Number of operations in progress (to retry) so far: 1; Number of service instances that failed to process so far: 1; Number of operations running: 0; Number of service instances not started: 0
[upgrade-all] FINISHED PROCESSING Status: FAILED; Summary: Number of successful operations: 3; Number of skipped operations: 1; Number of service instance orphans detected: 1; Number of deleted instances before operation could happen: 1; Number of busy instances which could not be processed: 1 [instance-8]; Number of service instances that failed to process: 1 [instance-7]
`

func TestPlainLinesOfWhatIsRare(t *testing.T) {
	g := NewWithT(t)
	var lines []string
	broken := errors.New("broken pipe")
	plain := NewPlain("recreate-all", func(line string) error { lines = append(lines, line); return broken })
	plain.Render(PhaseBegun{Phase: PhaseCanaries, Members: 3})
	plain.Render(PhaseEnded{Phase: PhaseCanaries})
	plain.Render(Halted{Why: StopCanaries, Running: 2})
	plain.Render(MemberEnded{Member: Member{ID: "a"}, State: Failed, Reason: "a fault", Err: PanicError{Value: "x", Stack: []byte("goroutine 5")}})
	plain.Render(Finished{Summary{Total: 3, Running: []string{"a", "b"}, NotBegun: 1, Stopped: StopLeft}})
	g.Expect(lines).To(Equal([]string{
		"[recreate-all] STARTING CANARIES: 3 canaries",
		"[recreate-all] Starting nothing more: not all canaries were processed successfully; operations still running: 2",
		"[recreate-all] [a] Result: Service Instance operation failure",
		"[recreate-all] [a] Operation failed: a fault",
		"[recreate-all] [a] goroutine 5",
		"[recreate-all] FINISHED PROCESSING Status: FAILED; Summary: Number of successful operations: 0; Number of skipped operations: 0; " +
			"Number of service instance orphans detected: 0; Number of deleted instances before operation could happen: 0; " +
			"Number of busy instances which could not be processed: 0; Number of service instances that failed to process: 0; " +
			"Number of operations left running: 2 [a, b]; Number of service instances not started: 1",
	}))
	g.Expect(plain.Close()).To(MatchError(broken))
}

func TestJSONLines(t *testing.T) {
	story(t, func(g *WithT) {
		var out bytes.Buffer
		renderer := NewJSONLines(&out)
		mixedFleet(g, renderer.Render)
		g.Expect(renderer.Close()).To(Succeed())

		var events []map[string]any
		lines := bufio.NewScanner(&out)
		for lines.Scan() {
			event := map[string]any{}
			g.Expect(json.Unmarshal(lines.Bytes(), &event)).To(Succeed(), lines.Text())
			g.Expect(lines.Text()).To(MatchRegexp(`^\{"time":"2000-01-01T00:00:[^"]*Z","event":"[a-z_]+",`))
			delete(event, "time")
			events = append(events, event)
		}
		orders := HaveKeyWithValue("instance", And(HaveKeyWithValue("id", "instance-1"), HaveKeyWithValue("name", "orders"), HaveKeyWithValue("org", "prod")))
		named := func(name string) OmegaMatcher { return HaveKeyWithValue("event", name) }
		g.Expect(events[:5]).To(HaveExactElements(
			Equal(map[string]any{"event": "started", "total": 8., "max_in_flight": 1.}),
			Equal(map[string]any{"event": "phase_begun", "phase": "canaries", "members": 1., "criteria": "cf_org: prod"}),
			And(named("begun"), orders, HaveKeyWithValue("number", 1.), HaveKeyWithValue("total", 8.), HaveKeyWithValue("canary", true), HaveKeyWithValue("attempt", 1.)),
			And(named("accepted"), orders, HaveKeyWithValue("task", 7.)),
			And(named("stage"), orders, HaveKeyWithValue("stage", "Updating instance: cache/1")),
		))
		g.Expect(events).To(ContainElements(
			And(named("ended"), orders, HaveKeyWithValue("state", "succeeded"), HaveKeyWithValue("seconds", BeNumerically("~", 2, 0.5))),
			And(named("progress"), HaveKeyWithValue("successful", 1.), HaveKeyWithValue("not_begun", 7.)),
			And(named("phase_ended"), HaveKeyWithValue("ok", true)),
			And(named("busy"), HaveKeyWithValue("attempt", 1.), HaveKeyWithValue("attempts", 2.), HaveKeyWithValue("retry_in", 10.)),
			And(named("trouble"), HaveKeyWithValue("call", "begin"), HaveKeyWithValue("reason", "oops"), HaveKeyWithValue("retry_in", 1.)),
			And(named("ended"), HaveKeyWithValue("state", "failed"), HaveKeyWithValue("reason", "disk is full\n\x1b[2Jreally"), HaveKeyWithValue("task", 9.)),
		))
		last := events[len(events)-1]
		g.Expect(last).To(HaveKeyWithValue("seconds", BeNumerically(">", 10)))
		delete(last, "seconds")
		g.Expect(last).To(Equal(map[string]any{
			"event": "summary", "end": "some-failed", "total": 8., "successful": 3., "skipped": 1., "orphans": 1., "deleted": 1., "not_begun": 0.,
			"busy": []any{"instance-8"}, "running": []any{},
			"failed": []any{map[string]any{"id": "instance-7", "task": 9., "reason": "disk is full\n\x1b[2Jreally"}},
		}))
	})
}

func TestJSONOfAHaltAndAPanic(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	renderer := NewJSONLines(&out)
	renderer.Render(Halted{Why: StopDrained, Running: 2})
	renderer.Render(MemberEnded{Member: Member{ID: "a"}, State: Failed, Reason: "a fault", Err: PanicError{Value: "x", Stack: []byte("goroutine 5")}})
	g.Expect(out.String()).To(And(ContainSubstring(`"event":"halted","why":"drained","running":2}`), ContainSubstring(`"stack":"goroutine 5"`)))
}

// broken is where nothing can be written.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestWhatCannotBeWrittenIsTold(t *testing.T) {
	for _, renderer := range []Renderer{NewJSONLines(broken{}), NewTerminal(broken{}, "upgrade")} {
		renderer.Render(Started{Total: 1})
		renderer.Render(Finished{})
		NewWithT(t).Expect(renderer.Close()).To(MatchError(os.ErrClosed))
	}
}
