package pages

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// shell is a bash that is told one command after another. All that it starts is in its process group.
type shell struct {
	process *exec.Cmd
	input   io.WriteCloser
	reading *os.File // the read end of its stdout and stderr
	printed *bufio.Reader
	kept    string // where the output of what runs in the background goes
	started int    // how many those are
}

// separator ends what a command has printed: none prints this byte by itself.
const separator = '\x1e'

func startShell(dir string, env []string) (*shell, error) {
	reading, writing, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting bash: %w", err)
	}
	defer writing.Close()
	kept, err := os.MkdirTemp("", "page-")
	if err != nil {
		return nil, errors.Join(err, reading.Close())
	}
	process := exec.Command("bash", "--noprofile", "--norc")
	process.Dir, process.Env = dir, env
	process.Stdout, process.Stderr = writing, writing
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	input, err := process.StdinPipe()
	if err == nil {
		err = process.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting bash: %w", err), reading.Close(), os.RemoveAll(kept))
	}
	return &shell{process: process, input: input, reading: reading, printed: bufio.NewReader(reading), kept: kept}, nil
}

// run has a command carried out, as a script that doesn't end at the first command that fails, but fails with it.
func (s *shell) run(ctx context.Context, command string) (printed string, exit int, err error) {
	const failing = "failed=; trap 'failed=$?' ERR; eval %s </dev/null; failed=${failed:-$?}; trap - ERR; printf '%s%%s\\n' \"$failed\"\n"
	if _, err := fmt.Fprintf(s.input, failing, quote(command), `\036`); err != nil {
		return "", 0, fmt.Errorf("the shell has ended: %w", err)
	}
	deadline, _ := ctx.Deadline()
	stop := context.AfterFunc(ctx, func() { _ = s.reading.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := s.reading.SetReadDeadline(deadline); err != nil {
		return "", 0, err
	}
	printed, err = s.printed.ReadString(separator)
	if err != nil {
		return printed, 0, fmt.Errorf("it doesn't end, or ends the shell: %w", err)
	}
	code, err := s.printed.ReadString('\n')
	if err != nil {
		return printed, 0, err
	}
	exit, err = strconv.Atoi(strings.TrimSpace(code))
	return strings.TrimSuffix(printed, string(separator)), exit, err
}

// background starts a command, and returns the file that it prints to.
func (s *shell) background(ctx context.Context, command string) (output string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s.started++
	output = filepath.Join(s.kept, strconv.Itoa(s.started))
	printed, code, err := s.run(ctx, fmt.Sprintf(": > %s; ( %s ) >%s 2>&1 </dev/null &", quote(output), "eval "+quote(command), quote(output)))
	if err == nil && code != 0 {
		err = fmt.Errorf("%s: it can't be started: %s", command, printed)
	}
	return output, err
}

// stop ends the shell and what it has started, kindly first.
func (s *shell) stop() error {
	group := -s.process.Process.Pid
	_ = syscall.Kill(group, syscall.SIGTERM)
	_ = s.process.Wait() // a shell that was told to end has no result
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline) && syscall.Kill(group, 0) == nil; {
		time.Sleep(20 * time.Millisecond)
	}
	_ = syscall.Kill(group, syscall.SIGKILL)
	return errors.Join(s.reading.Close(), os.RemoveAll(s.kept))
}

// quote makes one word of a text.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
