package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// process is a program that runs beside the driver.
type process struct {
	name   string
	cmd    *exec.Cmd
	output *output
	ended  chan struct{}
	err    error // how it ended, once ended is closed
}

// stopTime is how long a process may take to end by itself.
const stopTime = 15 * time.Second

// startProcess starts a program, whose lines that have counted in them are counted.
func startProcess(name, counted, program string, args ...string) (*process, error) {
	output, err := newOutput(counted)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	p := &process{name: name, cmd: exec.Command(program, args...), output: output, ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = output.writer, output.writer
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s: %w", name, err), output.close())
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
			return p.failed(fmt.Sprintf("ended before %s: %v", what, p.err))
		case <-ctx.Done():
			return p.failed(fmt.Sprintf("took too long until %s", what))
		case <-time.After(pause):
		}
	}
	return nil
}

// failed says what went wrong, and the process's last words.
func (p *process) failed(what string) error {
	return fmt.Errorf("%s %s; it printed: %s", p.name, what, strings.TrimSpace(p.output.text()))
}

// stop ends the process as an operator would, and insists that it ends well.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	var err error
	select {
	case <-p.ended:
		if p.err != nil {
			err = p.failed(fmt.Sprintf("ended with %v", p.err))
		}
	case <-time.After(stopTime):
		_ = p.cmd.Process.Kill()
		err = p.failed(fmt.Sprintf("did not end within %s of SIGTERM", stopTime))
	}
	return errors.Join(err, p.output.close())
}
