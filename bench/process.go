package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// process is a program that runs beside the driver. What it prints goes to a file: it never waits for a reader, and
// what it printed before it answered a call can be read after that call.
type process struct {
	name  string
	cmd   *exec.Cmd
	out   string
	ended chan struct{}
	err   error // how it ended, once ended is closed
}

// stopTime is how long a process may take to end by itself.
const stopTime = 15 * time.Second

func startProcess(name, dir, program string, args ...string) (*process, error) {
	out, err := os.CreateTemp(dir, name+"-*.log")
	if err != nil {
		return nil, err
	}
	defer out.Close() // the process has it open
	p := &process{name: name, cmd: exec.Command(program, args...), out: out.Name(), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.WaitDelay = stopTime
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// await tries until it works, every few milliseconds, and gives up when the process or ctx has ended.
func (p *process) await(ctx context.Context, what string, try func() bool) error {
	const pause = 2 * time.Millisecond
	for !try() {
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended before %s: %w; it printed: %s", p.name, what, p.err, p.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s until %s: %w; it printed: %s", p.name, what, ctx.Err(), p.lastWords())
		case <-time.After(pause):
		}
	}
	return nil
}

// stop ends the process as an operator would, and insists that it ends well.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		if p.err != nil {
			return fmt.Errorf("%s: %w; it printed: %s", p.name, p.err, p.lastWords())
		}
		return nil
	case <-time.After(stopTime):
		_ = p.cmd.Process.Kill()
		return fmt.Errorf("%s did not end within %s of SIGTERM", p.name, stopTime)
	}
}

// printed is all that the process printed so far.
func (p *process) printed() []byte {
	text, err := os.ReadFile(p.out)
	if err != nil {
		return nil
	}
	return text
}

// lastWords are the end of what it printed, for an error's text.
func (p *process) lastWords() string {
	const limit = 2000
	text := bytes.TrimSpace(p.printed())
	if len(text) > limit {
		text = text[len(text)-limit:]
	}
	return string(text)
}

// counter counts how often a text was printed, reading what is new each time.
type counter struct {
	file   *os.File
	wanted []byte
	rest   []byte // the start of a line whose end is not there yet
	count  int
}

func (p *process) counter(wanted string) (*counter, error) {
	file, err := os.Open(filepath.Clean(p.out))
	if err != nil {
		return nil, err
	}
	return &counter{file: file, wanted: []byte(wanted)}, nil
}

// lines is how many lines with the text there are by now.
func (c *counter) lines() (int, error) {
	buffer := bytes.NewBuffer(c.rest)
	if _, err := buffer.ReadFrom(c.file); err != nil {
		return 0, fmt.Errorf("reading %s: %w", c.file.Name(), err)
	}
	text := buffer.Bytes()
	for {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		if !whole {
			break
		}
		if bytes.Contains(line, c.wanted) {
			c.count++
		}
		text = rest
	}
	c.rest = bytes.Clone(text)
	return c.count, nil
}

func (c *counter) close() error { return c.file.Close() }
