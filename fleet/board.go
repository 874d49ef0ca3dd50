package fleet

import (
	"fmt"
	"slices"
	"time"
)

// mostRows fit into the smallest usual window, of 24: rows that scroll out at its top can't be drawn anew.
const mostRows = 16

// board is what is drawn: who runs, and how far the whole is.
type board struct {
	what    string
	running []*lane // in the order in which they were begun
	// outlook's pending and ages are filled in when it is asked.
	outlook  outlook
	total    int
	done     int // finished with
	failed   int
	canaries bool
	halted   bool
	over     bool
}

// lane is one member that is worked on.
type lane struct {
	member   Member
	began    time.Time
	accepted bool
	task     int
	stage    string
}

func newBoard(what string) board { return board{what: what} }

// take takes an event in and answers the lines that stay.
func (b *board) take(event Event, now time.Time) (stay []string) {
	switch e := event.(type) {
	case Started:
		b.total, b.outlook.workers = e.Total, e.MaxInFlight
		return []string{fmt.Sprintf("%s: %d service instances, %d at a time", b.what, e.Total, e.MaxInFlight)}
	case PhaseBegun:
		b.canaries = e.Phase == PhaseCanaries
	case PhaseEnded:
		if e.Phase == PhaseCanaries && e.OK {
			return []string{"canaries: all well"}
		}
	case MemberBegun:
		b.running = append(b.running, &lane{member: e.Member, began: now, stage: "starting"})
	case MemberAccepted:
		b.update(e.Member, func(l *lane) { l.accepted, l.task, l.stage = true, e.Task, "accepted" })
	case MemberStage:
		b.update(e.Member, func(l *lane) { l.task, l.stage = e.Task, oneLine(firstOf(e.Stage, e.Description)) })
	case MemberTrouble:
		b.update(e.Member, func(l *lane) { l.stage = "no answer, asking again: " + oneLine(e.Err.Error()) })
	case MemberBusy:
		b.remove(e.Member)
		return []string{fmt.Sprintf("%s: busy, attempt %d of %d; again in %s or later", title(e.Member), e.Attempt, e.Attempts, e.RetryIn)}
	case MemberEnded:
		return b.ended(e)
	case Halted:
		b.halted = true
		return []string{fmt.Sprintf("starting nothing more: %s; waiting for %d", e.Why.sentence(), e.Running)}
	case Finished:
		b.over, b.running = true, nil
		return []string{fmt.Sprintf("%s: %s", b.what, inTheEnd(e.Summary))}
	}
	return nil
}

// ended counts a member that is finished with; only what is out of the ordinary stays to be read.
func (b *board) ended(e MemberEnded) []string {
	if lane := b.remove(e.Member); lane != nil && lane.accepted {
		b.outlook.ran++
		b.outlook.ranTook += e.Took
	}
	b.outlook.ended++
	b.outlook.took += e.Took
	b.done++
	switch e.State {
	case Failed:
		b.failed++
		return []string{oneLine(fmt.Sprintf("%s: failed%s: %s", title(e.Member), taskNote(e.Task), e.Reason))}
	case Gone, Orphan, Busy:
		return []string{fmt.Sprintf("%s: %s", title(e.Member), resultText(e.State))}
	}
	return nil
}

func (b *board) find(member Member) int {
	return slices.IndexFunc(b.running, func(l *lane) bool { return l.member.ID == member.ID })
}

func (b *board) update(member Member, change func(*lane)) {
	if i := b.find(member); i >= 0 {
		change(b.running[i])
	}
}

func (b *board) remove(member Member) *lane {
	i := b.find(member)
	if i < 0 {
		return nil
	}
	lane := b.running[i]
	b.running = slices.Delete(b.running, i, i+1)
	return lane
}

// rows are the lines to draw now; none once the run is over.
func (b *board) rows(now time.Time) []string {
	if b.over || b.total == 0 {
		return nil
	}
	rows := []string{b.headline(now)}
	for i, lane := range b.running {
		if i == mostRows-2 && len(b.running) > mostRows-1 {
			return append(rows, fmt.Sprintf("  … and %d more", len(b.running)-i))
		}
		row := fmt.Sprintf("  %s  %s", title(lane.member), now.Sub(lane.began).Truncate(time.Second))
		if lane.task != 0 {
			row += fmt.Sprintf("  task %d", lane.task)
		}
		rows = append(rows, row+"  "+lane.stage)
	}
	return rows
}

func (b *board) headline(now time.Time) string {
	line := fmt.Sprintf("%s: %d of %d done", b.what, b.done, b.total)
	if b.canaries {
		line += ", canaries first"
	}
	if b.failed > 0 {
		line += fmt.Sprintf(", %d failed", b.failed)
	}
	line += fmt.Sprintf(", %d running", len(b.running))
	outlook := b.outlook
	outlook.pending = max(0, b.total-b.done-len(b.running))
	if b.halted {
		outlook.pending = 0
	}
	for _, lane := range b.running {
		outlook.ages = append(outlook.ages, now.Sub(lane.began))
	}
	if left, known := outlook.left(); known {
		line += fmt.Sprintf(", ETA %s", left.Round(time.Second))
	}
	return line
}

// title is what people call the member: its name and where it is, if that is known, and always its id.
func title(m Member) string {
	if m.Name == "" {
		return m.ID
	}
	if m.Org != "" || m.Space != "" {
		return oneLine(fmt.Sprintf("%s (%s/%s, %s)", m.Name, m.Org, m.Space, m.ID))
	}
	return oneLine(fmt.Sprintf("%s (%s)", m.Name, m.ID))
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
