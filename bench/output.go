package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// output reads what a process prints, through a pipe: in a file, a busy disk would make the process wait and be
// measured along with it. It counts lines and keeps the end of the text.
type output struct {
	reader, writer *os.File
	wanted         []byte // what a line must have to count
	caughtUp       chan struct{}

	mu    sync.Mutex
	count int
	end   []byte
}

const (
	// catchUpMark is a line that only the driver writes.
	catchUpMark = "---- the driver has read what came before ----\n"
	catchUpTime = 10 * time.Second
	keptOutput  = 8 << 10
)

func newOutput(wanted string) (*output, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	o := &output{reader: reader, writer: writer, wanted: []byte(wanted), caughtUp: make(chan struct{}, 1)}
	go o.read()
	return o, nil
}

// read ends when the pipe does. The pieces of a line that is longer than the buffer are taken for lines.
func (o *output) read() {
	defer o.reader.Close()
	lines := bufio.NewReaderSize(o.reader, 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if string(line) == catchUpMark {
			o.caughtUp <- struct{}{}
		} else {
			o.take(line)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

func (o *output) take(line []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if bytes.Contains(line, o.wanted) {
		o.count++
	}
	o.end = append(o.end, line...)
	if len(o.end) > 2*keptOutput {
		o.end = bytes.Clone(o.end[len(o.end)-keptOutput:])
	}
}

// lines is how many lines to count were printed before the call. Pipes keep the order, so that they have been read when
// a mark that is written now has.
func (o *output) lines() (int, error) {
	if _, err := io.WriteString(o.writer, catchUpMark); err != nil {
		return 0, fmt.Errorf("reading the output: %w", err)
	}
	select {
	case <-o.caughtUp:
	case <-time.After(catchUpTime):
		return 0, fmt.Errorf("the output is not read to its end within %s", catchUpTime)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.count, nil
}

// text is the end of what was printed so far, all of it if it was little.
func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.end)
}

// close lets the reader end once the process has ended, too.
func (o *output) close() error { return o.writer.Close() }
