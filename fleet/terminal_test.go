package fleet_test

import (
	"bufio"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	. "github.com/on-demand-broker/odb/fleet"
)

// screen is as much of a terminal as it takes: lines, the cursor going up, and what is below it going away.
type screen struct {
	lines []string
	at    int
}

var control = regexp.MustCompile("\x1b\\[(\\?7[lh]|[0-9]+A|J)|\r|\n|[^\x1b\r\n]+")

func (s *screen) Write(text []byte) (int, error) {
	for _, piece := range control.FindAllString(string(text), -1) {
		switch {
		case piece == "\n":
			s.at++
		case piece == "\x1b[J":
			s.lines = s.lines[:min(s.at, len(s.lines))]
		case strings.HasSuffix(piece, "A") && piece[0] == '\x1b':
			up := 0
			for _, digit := range piece[2 : len(piece)-1] {
				up = 10*up + int(digit-'0')
			}
			s.at -= up
		case piece[0] != '\x1b' && piece != "\r":
			s.lines = append(s.lines[:s.at], piece)
		}
	}
	return len(text), nil
}

func TestTerminal(t *testing.T) {
	story(t, func(g *WithT) {
		window := &screen{}
		terminal := NewTerminal(window, "upgrade")
		look := func() []string {
			time.Sleep(250 * time.Millisecond)
			synctest.Wait()
			return window.lines
		}
		orders := Member{ID: "id-1", Name: "orders", Org: "prod", Space: "shop"}
		other := Member{ID: "id-2"}
		terminal.Render(Started{Total: 3, MaxInFlight: 2})
		terminal.Render(PhaseBegun{Phase: PhaseCanaries, Members: 1})
		terminal.Render(MemberBegun{Member: orders})
		g.Expect(look()).To(Equal([]string{
			"upgrade: 3 service instances, 2 at a time",
			"upgrade: 0 of 3 done, canaries first, 1 running",
			"  orders (prod/shop, id-1)  0s  starting",
		}))
		terminal.Render(MemberAccepted{Member: orders, Task: 12})
		time.Sleep(time.Minute)
		terminal.Render(MemberStage{Member: orders, Task: 12, Stage: "Updating instance:\tcache/0\x1b[2J"})
		g.Expect(look()[1:]).To(Equal([]string{
			"upgrade: 0 of 3 done, canaries first, 1 running",
			"  orders (prod/shop, id-1)  1m0s  task 12  Updating instance: cache/0 [2J",
		}))
		terminal.Render(MemberEnded{Member: orders, State: Succeeded, Took: time.Minute})
		terminal.Render(PhaseEnded{Phase: PhaseCanaries, OK: true})
		terminal.Render(PhaseBegun{Phase: PhaseRest, Members: 2})
		terminal.Render(MemberBegun{Member: other})
		terminal.Render(MemberTrouble{Member: other, Call: CallBegin, Err: errOops})
		g.Expect(look()[1:]).To(Equal([]string{
			"canaries: all well",
			"upgrade: 1 of 3 done, 1 running, ETA 1m0s",
			"  id-2  0s  no answer, asking again: oops",
		}))
		terminal.Render(MemberEnded{Member: other, State: Failed, Task: 13, Reason: "disk is\nfull", Took: time.Second})
		terminal.Render(MemberBegun{Member: Member{ID: "id-3"}})
		terminal.Render(MemberBusy{Member: Member{ID: "id-3"}, Attempt: 1, Attempts: 5, RetryIn: time.Minute})
		terminal.Render(Halted{Why: StopDrained})
		g.Expect(look()[2:]).To(Equal([]string{
			"id-2: failed: bosh task id 13: disk is full",
			"id-3: busy, attempt 1 of 5; again in 1m0s or later",
			"starting nothing more: the run was stopped; waiting for 0",
			"upgrade: 2 of 3 done, 1 failed, 0 running, ETA 0s",
		}))
		terminal.Render(Finished{Summary{Total: 3, Successful: 1, Failed: []Failure{{ID: "id-2"}}, Busy: []string{"id-3"}}})
		g.Expect(terminal.Close()).To(Succeed())
		g.Expect(window.lines).To(HaveLen(6), "the board is gone, what stays stays")
		g.Expect(window.lines[5]).To(HavePrefix("upgrade: Number of successful operations: 1;"))
	})
}

func TestTerminalKeepsToItsWindow(t *testing.T) {
	story(t, func(g *WithT) {
		window := &screen{}
		terminal := NewTerminal(window, "upgrade")
		terminal.Render(Started{Total: 100, MaxInFlight: 50})
		for _, member := range membersOf(50) {
			terminal.Render(MemberBegun{Member: member})
		}
		time.Sleep(time.Second)
		synctest.Wait()
		g.Expect(window.lines).To(HaveLen(1 + 16))
		g.Expect(window.lines[16]).To(Equal("  … and 36 more"))
		g.Expect(terminal.Close()).To(Succeed())
	})
}

// A whole run, with its draws wherever they fall, leaves the lines that stay and nothing of the board.
func TestTerminalOfARun(t *testing.T) {
	story(t, func(g *WithT) {
		window := &screen{}
		terminal := NewTerminal(window, "upgrade")
		mixedFleet(g, terminal.Render)
		g.Expect(terminal.Close()).To(Succeed())
		g.Expect(window.lines).To(HaveExactElements(
			"upgrade: 8 service instances, 1 at a time",
			"canaries: all well",
			"instance-2: busy, attempt 1 of 2; again in 10s or later",
			"instance-4: already deleted from platform",
			ContainSubstring("instance-5: orphan"),
			"instance-7: failed: bosh task id 9: disk is full [2Jreally",
			"instance-8: busy, attempt 1 of 2; again in 10s or later",
			"instance-8: operation in progress",
			ContainSubstring("failed to process: 1 [instance-7]"),
		))
	})
}

func TestAPipeGetsPlainLines(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("TERM", "xterm")
	from, to, err := os.Pipe()
	g.Expect(err).NotTo(HaveOccurred())
	defer from.Close()
	g.Expect(IsTerminal(to)).To(BeFalse())
	renderer := ForOutput(to, "upgrade-all")
	renderer.Render(Started{MaxInFlight: 3})
	g.Expect(renderer.Close()).To(Succeed())
	g.Expect(to.Close()).To(Succeed())
	line, err := bufio.NewReader(from).ReadString('\n')
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(line).To(Equal("[upgrade-all] STARTING OPERATION with 3 concurrent workers\n"))

	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	g.Expect(err).NotTo(HaveOccurred())
	defer null.Close()
	g.Expect(IsTerminal(null)).To(BeFalse(), "a character device, but no terminal")
	if terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err == nil {
		defer terminal.Close()
		g.Expect(IsTerminal(terminal)).To(BeTrue())
		t.Setenv("TERM", "dumb")
		g.Expect(IsTerminal(terminal)).To(BeFalse())
	}
}
