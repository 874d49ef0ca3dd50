package adapterclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"syscall"
	"time"

	"github.com/on-demand-broker/odb/tracecontext"
)

const (
	// messageLimit bounds what is kept of a text for people: a failed run's stdout, and stderr.
	messageLimit = 64 << 10
	// closingTime is how long the pipes, stdin's too, may take to end once nobody of the adapter's group is left. They
	// end at once unless a process that left the group holds them.
	closingTime = 200 * time.Millisecond
)

// ending is how a run of the adapter ended.
type ending struct {
	stdout, stderr capture
	code           int
	signal         syscall.Signal
	// stopped is set when the context was over before the adapter was.
	stopped bool
	// orphaned is set when processes that the adapter left behind still held its output after KillAfter.
	orphaned bool
}

// run runs the adapter once and returns what it printed on stdout.
func (c *Client) run(ctx context.Context, invocation invocation) ([]byte, error) {
	timeout := c.timeoutOf(invocation.verb)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if ctx.Err() != nil {
		return nil, stopError(invocation.verb, ctx.Err(), 0)
	}
	started := time.Now()
	ending, err := c.execute(ctx, invocation)
	if err != nil {
		c.observe(Run{Verb: invocation.verb, Exit: ExitNotStarted, Took: time.Since(started)})
		err = &StartError{Verb: invocation.verb, Path: c.path, Err: err}
		c.logger.ErrorContext(ctx, "adapter.not-started", slog.String("verb", invocation.verb), slog.String("error", err.Error()))
		return nil, err
	}
	took := time.Since(started)
	err = c.judge(ctx, invocation.verb, ending, took)
	c.observe(Run{Verb: invocation.verb, Exit: exitOf(ending, err), Took: took})
	c.log(ctx, invocation.verb, ending, took, err)
	if err != nil {
		return nil, err
	}
	return ending.stdout.kept, nil
}

// execute starts the adapter and sees it to its end; the error says that it couldn't be started.
func (c *Client) execute(ctx context.Context, invocation invocation) (*ending, error) {
	command := c.command(ctx, invocation)
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	group := &processGroup{id: command.Process.Pid}
	withdraw := context.AfterFunc(ctx, func() { group.terminate(c.killAfter) })
	ending := &ending{
		stdout: capture{limit: c.outputLimit, overflowed: group.kill},
		stderr: capture{limit: messageLimit, keepEnd: true},
	}
	drained := drain(pipe{stdout, &ending.stdout}, pipe{stderr, &ending.stderr})

	// From its exit to command.Wait the adapter is not reaped, so that its number can't be a stranger's and the group
	// can be signalled.
	if !awaitExit(command.Process.Pid) {
		<-drained
	}
	ending.stopped = !withdraw()
	ending.orphaned = !closesWithin(drained, c.killAfter)
	group.end()
	closesWithin(drained, closingTime)
	// Wait also closes the pipes, which ends the draining if it hasn't ended yet. Its error only adds to the process state
	// that stdin wasn't read to its end: the adapter's affair.
	_ = command.Wait()
	<-drained
	ending.code = command.ProcessState.ExitCode()
	if status, ok := command.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		ending.signal = status.Signal()
	}
	return ending, nil
}

func (c *Client) command(ctx context.Context, invocation invocation) *exec.Cmd {
	command := &exec.Cmd{
		Path: c.path,
		Args: append([]string{c.path}, invocation.args...),
		Env:  c.env,
		Dir:  c.dir,
		// A group of its own, so that whatever the adapter starts can be ended with it.
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
		WaitDelay:   closingTime,
	}
	if trace := tracecontext.From(ctx); trace.ID() != "" {
		command.Env = append(c.env, traceparentVariable+trace.Parent())
		if trace.State() != "" {
			command.Env = append(command.Env, tracestateVariable+trace.State())
		}
	}
	if invocation.stdin != nil {
		command.Stdin = bytes.NewReader(invocation.stdin)
	}
	return command
}

// judge turns an ending into nil or the fact that it is.
func (c *Client) judge(ctx context.Context, verb string, ending *ending, took time.Duration) error {
	switch {
	case ending.stdout.dropped > 0:
		what := fmt.Sprintf("more than the %d bytes allowed on stdout", c.outputLimit)
		return &OutputError{Verb: verb, What: what, Limit: c.outputLimit}
	case ending.stopped:
		return stopError(verb, ctx.Err(), took)
	case ending.code != 0:
		message := firstText(ending.stdout.kept, messageLimit)
		return &ExitError{Verb: verb, Code: ending.code, Signal: ending.signal, UserMessage: message}
	}
	return nil
}

// stopError is the fact that the context ended the run: ErrTimeout when its time was over, or its cancellation.
func stopError(verb string, cause error, took time.Duration) error {
	if errors.Is(cause, context.DeadlineExceeded) {
		return fmt.Errorf("service adapter: %s %w after %s: %w", verb, ErrTimeout, took.Round(time.Millisecond), cause)
	}
	return fmt.Errorf("service adapter: %s was stopped: %w", verb, cause)
}

func (c *Client) log(ctx context.Context, verb string, ending *ending, took time.Duration, err error) {
	attributes := []slog.Attr{slog.String("verb", verb), slog.Float64("ms", float64(took.Microseconds())/1000), slog.Int("exit_code", ending.code)}
	if len(ending.stderr.kept) > 0 {
		attributes = append(attributes, slog.String("stderr", ending.stderr.logText()))
	}
	if ending.orphaned {
		attributes = append(attributes, slog.Bool("left_processes", true))
	}
	if err == nil || errors.Is(err, ErrNotImplemented) { // whether it had to be, the caller knows
		c.logger.LogAttrs(ctx, slog.LevelInfo, "adapter.ran", attributes...)
		return
	}
	attributes = append(attributes, slog.String("error", err.Error()))
	var exit *ExitError
	if errors.As(err, &exit) && exit.Signal == 0 && exit.UserMessage != "" {
		attributes = append(attributes, slog.String("stdout", exit.UserMessage))
	}
	c.logger.LogAttrs(ctx, slog.LevelError, "adapter.failed", attributes...)
}
