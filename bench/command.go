package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ran is a command that has ended well.
type ran struct {
	took  time.Duration
	cpu   time.Duration
	peak  int64 // the most memory that it held, RSS in bytes
	lines int   // that it printed
	last  string
}

// watchPause is short beside the time in which a command's memory grows by a megabyte.
const watchPause = 5 * time.Millisecond

// runCommand runs odb to its end, which is an error unless it exits with 0.
func runCommand(ctx context.Context, odb string, args ...string) (ran, error) {
	cmd := exec.CommandContext(ctx, odb, args...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return ran{}, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return ran{}, fmt.Errorf("odb %s: %w", strings.Join(args, " "), err)
	}
	ended := make(chan struct{})
	peak := watchMemory(cmd.Process.Pid, ended)
	r := ran{}
	readErr := r.read(stdout)
	err = errors.Join(cmd.Wait(), readErr)
	close(ended)
	r.took, r.cpu, r.peak = time.Since(began), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime(), <-peak
	if err != nil {
		return r, fmt.Errorf("odb %s: %w; it printed: %s%s", strings.Join(args, " "), err, r.last, complaints.String())
	}
	return r, nil
}

// read counts the lines and keeps the last.
func (r *ran) read(from io.Reader) error {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			r.lines, r.last = r.lines+1, line
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// watchMemory looks at a process until it has ended, and tells the most that it held. What the kernel tells at its end
// (ru_maxrss) counts the driver's own memory too, which the child shares until it runs its program.
func watchMemory(pid int, ended <-chan struct{}) <-chan int64 {
	told := make(chan int64, 1)
	go func() {
		var peak int64
		ticker := time.NewTicker(watchPause)
		defer ticker.Stop()
		for {
			if status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status")); err == nil {
				peak = max(peak, highWaterMark(string(status)))
			}
			select {
			case <-ended:
				told <- peak
				return
			case <-ticker.C:
			}
		}
	}()
	return told
}

// highWaterMark reads VmHWM, in bytes; 0 if it isn't there, as of a process that has just ended.
func highWaterMark(status string) int64 {
	_, rest, _ := strings.Cut(status, "\nVmHWM:")
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kilobytes, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0
	}
	return kilobytes << 10
}
