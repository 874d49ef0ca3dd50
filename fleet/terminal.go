package fleet

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

const redrawEvery = 200 * time.Millisecond

// The terminal does the cutting of long lines: drawing them anew counts on each being one row.
const (
	wrapOff  = "\x1b[?7l"
	wrapOn   = "\x1b[?7h"
	eraseEnd = "\x1b[J" // from the cursor to the end of the screen
)

// Terminal draws a line for each operation that runs, with the stage and how long it has run, and one for the whole with an ETA; what
// should stay to be read, failures above all, scrolls up above them. It is safe for concurrent use. Close it: it draws on its own.
type Terminal struct {
	out  io.Writer
	stop chan struct{}
	done chan struct{}

	mu    sync.Mutex
	board board
	stay  []string // lines to stay that aren't written yet
	drawn int      // rows to draw anew
	err   error
}

// NewTerminal draws to out, a terminal. what names the operation ("upgrade-all").
func NewTerminal(out io.Writer, what string) *Terminal {
	t := &Terminal{out: out, stop: make(chan struct{}), done: make(chan struct{}), board: newBoard(what)}
	go t.drawNowAndThen()
	return t
}

// Render takes the event in; it is drawn within a fifth of a second.
func (t *Terminal) Render(event Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stay = append(t.stay, t.board.take(event, time.Now())...)
}

// Close draws for the last time, and tells the first error of writing. Nothing may be rendered any more.
func (t *Terminal) Close() error {
	close(t.stop)
	<-t.done
	t.mu.Lock()
	defer t.mu.Unlock()
	t.draw()
	return t.err
}

func (t *Terminal) drawNowAndThen() {
	defer close(t.done)
	ticker := time.NewTicker(redrawEvery)
	defer ticker.Stop()
	for {
		select {
		case <-t.stop:
			return
		case <-ticker.C:
			t.mu.Lock()
			t.draw()
			t.mu.Unlock()
		}
	}
}

// draw writes what is to stay over what was drawn last, and the board below.
func (t *Terminal) draw() {
	rows := t.board.rows(time.Now())
	if t.err != nil || (len(rows) == 0 && len(t.stay) == 0 && t.drawn == 0) {
		return
	}
	var text strings.Builder
	if t.drawn > 0 {
		fmt.Fprintf(&text, "\x1b[%dA", t.drawn)
	}
	text.WriteString("\r" + eraseEnd)
	for _, line := range t.stay {
		text.WriteString(line + "\n")
	}
	text.WriteString(wrapOff)
	for _, row := range rows {
		text.WriteString(row + "\n")
	}
	text.WriteString(wrapOn)
	t.stay, t.drawn = nil, len(rows)
	_, t.err = io.WriteString(t.out, text.String())
}
