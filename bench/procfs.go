package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// usage is what a process has used since its start, and holds now.
type usage struct {
	CPU         time.Duration // its own, of all threads
	ChildrenCPU time.Duration // of the children that it has waited for; in steps of a clock tick
	RSS         int64         // bytes
	Threads     int
	Files       int // open ones, connections among them
}

// usageOf asks the kernel (see proc(5)).
func usageOf(pid int) (usage, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	var u usage
	var err error
	if u.CPU, err = threadsCPU(dir); err != nil {
		return u, err
	}
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return u, err
	}
	if u.ChildrenCPU, err = parseChildrenCPU(string(stat)); err != nil {
		return u, err
	}
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return u, err
	}
	if err := u.parseStatus(string(status)); err != nil {
		return u, err
	}
	files, err := os.ReadDir(filepath.Join(dir, "fd"))
	u.Files = len(files)
	return u, err
}

// threadsCPU adds up the threads' own clocks, which count nanoseconds; the process's count ticks of 10 ms. A thread
// that ends would take its share along, but a Go program's threads stay.
func threadsCPU(dir string) (time.Duration, error) {
	clocks, err := filepath.Glob(filepath.Join(dir, "task", "*", "schedstat"))
	if err != nil {
		return 0, err
	}
	if len(clocks) == 0 {
		return 0, fmt.Errorf("%s tells no CPU time: is the process alive, and is this Linux?", dir)
	}
	var sum time.Duration
	for _, clock := range clocks {
		text, err := os.ReadFile(clock)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		spent, err := parseSchedstat(string(text))
		if err != nil {
			return 0, fmt.Errorf("%s: %w", clock, err)
		}
		sum += spent
	}
	return sum, nil
}

// parseSchedstat reads the nanoseconds on a CPU, the first of three numbers.
func parseSchedstat(text string) (time.Duration, error) {
	first, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	spent, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("schedstat %q: %w", text, err)
	}
	return time.Duration(spent), nil
}

// tick is the unit of times in /proc/PID/stat: USER_HZ is 100 on every architecture that Go's Linux port knows.
const tick = 10 * time.Millisecond

// parseChildrenCPU reads cutime and cstime, the 16th and 17th field. The second field, the program's name, may hold
// anything, even spaces and brackets.
func parseChildrenCPU(stat string) (time.Duration, error) {
	const cutime, cstime, firstAfterName = 16, 17, 3
	end := strings.LastIndexByte(stat, ')')
	fields := strings.Fields(stat[end+1:])
	if end < 0 || len(fields) <= cstime-firstAfterName {
		return 0, fmt.Errorf("stat %q: too few fields", stat)
	}
	var ticks int64
	for _, field := range []int{cutime, cstime} {
		n, err := strconv.ParseInt(fields[field-firstAfterName], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("stat %q: %w", stat, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

// machineCPU is what all processes of the machine have used, since it was started.
func machineCPU() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	return parseMachineCPU(string(text))
}

// parseMachineCPU adds up the first line's times of work: user, nice, system, then after idle and iowait irq and softirq.
func parseMachineCPU(stat string) (time.Duration, error) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < 8 || fields[0] != "cpu" {
		return 0, fmt.Errorf("/proc/stat begins with %q", line)
	}
	var ticks int64
	for _, at := range []int{1, 2, 3, 6, 7} {
		n, err := strconv.ParseInt(fields[at], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/stat: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

// parseStatus reads VmRSS and Threads.
func (u *usage) parseStatus(status string) error {
	found := 0
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		value, _, _ = strings.Cut(strings.TrimSpace(value), " ")
		if name != "VmRSS" && name != "Threads" {
			continue
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return fmt.Errorf("status %q: %w", line, err)
		}
		found++
		if name == "VmRSS" {
			u.RSS = n << 10
		} else {
			u.Threads = int(n)
		}
	}
	if found != 2 {
		return errors.New("status: VmRSS or Threads is missing")
	}
	return nil
}
