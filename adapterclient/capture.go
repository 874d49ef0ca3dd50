package adapterclient

import (
	"bytes"
	"fmt"
	"io"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// capture keeps what is read from a pipe, up to a limit, and reads the rest away: an adapter whose pipe is full
// would hang.
type capture struct {
	limit int
	// keepEnd keeps the last bytes instead of the first: it is a log's end that says why.
	keepEnd bool
	// overflowed, if set, is called once, when the limit is passed.
	overflowed func()

	kept    []byte
	dropped int
}

// chunkSize is what one read of a pipe may bring; most adapters' outputs fit in.
const chunkSize = 4 << 10

func (c *capture) readAll(from io.Reader) {
	chunk := make([]byte, chunkSize)
	for {
		n, err := from.Read(chunk)
		c.add(chunk[:n])
		if err != nil { // the end, or the pipe was closed because it had none
			return
		}
	}
}

func (c *capture) add(chunk []byte) {
	if c.keepEnd {
		c.kept = append(c.kept, chunk...)
		if len(c.kept) > 2*c.limit {
			c.cutFront()
		}
		return
	}
	fitting := min(len(chunk), c.limit-len(c.kept))
	c.kept = append(c.kept, chunk[:fitting]...)
	if c.dropped == 0 && fitting < len(chunk) && c.overflowed != nil {
		c.overflowed()
	}
	c.dropped += len(chunk) - fitting
}

func (c *capture) cutFront() {
	if surplus := len(c.kept) - c.limit; surplus > 0 {
		c.dropped += surplus
		c.kept = append(c.kept[:0], c.kept[surplus:]...)
	}
}

// logText is the text for a log: the end of what was printed, with a note of how much is missing before it.
func (c *capture) logText() string {
	c.cutFront()
	text := string(bytes.TrimRight(c.kept, "\n"))
	if c.dropped > 0 {
		return fmt.Sprintf("[%d bytes left out] %s", c.dropped, text)
	}
	return text
}

// firstText is the beginning of a text, cut between two characters if it has to be cut.
func firstText(text []byte, limit int) string {
	if len(text) <= limit {
		return string(text)
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return string(text[:limit])
}

type pipe struct {
	from io.Reader
	to   *capture
}

// drain reads the pipes to their ends, side by side; the channel closes when all have ended.
func drain(pipes ...pipe) <-chan struct{} {
	drained := make(chan struct{})
	var open atomic.Int32
	open.Store(int32(len(pipes)))
	for _, pipe := range pipes {
		go func() {
			pipe.to.readAll(pipe.from)
			if open.Add(-1) == 0 {
				close(drained)
			}
		}()
	}
	return drained
}

// closesWithin reports whether the channel closes in time.
func closesWithin(channel <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-channel:
		return true
	case <-timer.C:
		return false
	}
}
