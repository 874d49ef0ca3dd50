package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	hundred := served{}
	for n := range 100 {
		hundred.latencies = append(hundred.latencies, time.Duration(n+1))
	}
	for _, c := range []struct {
		name    string
		served  served
		percent int
		want    time.Duration
	}{
		{"no calls", served{}, 99, 0},
		{"one call", served{latencies: []time.Duration{7}}, 50, 7},
		{"half", hundred, 50, 50},
		{"nearly all", hundred, 99, 99},
		{"all", hundred, 100, 100},
		{"none", hundred, 0, 1},
		{"rounds up", served{latencies: []time.Duration{1, 2, 3}}, 50, 2},
	} {
		if got := c.served.percentile(c.percent); got != c.want {
			t.Errorf("%s: percentile %d is %d, expected %d", c.name, c.percent, got, c.want)
		}
	}
}

func TestParseSchedstat(t *testing.T) {
	if got, err := parseSchedstat("1050438 2315966 4\n"); err != nil || got != 1050438 {
		t.Errorf("got %d, %v", got, err)
	}
	for _, bad := range []string{"", "\n", "x 1 2"} {
		if _, err := parseSchedstat(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestParseChildrenCPU(t *testing.T) {
	const rest = " S 1 2 2 0 -1 4194304 1 2 0 0 11 12 13 14 20 0 7 0 100 3133440 390"
	for _, name := range []string{"(odb)", "(a b) c)", "(1 2 3 4 5 6 7 8 9)"} {
		if got, err := parseChildrenCPU("42 " + name + rest); err != nil || got != 270*time.Millisecond {
			t.Errorf("%s: got %s, %v", name, got, err)
		}
	}
	for _, bad := range []string{"", "42 (odb", "42 (odb) S 1 2", "42 (odb)" + strings.Replace(rest, " 13 ", " x ", 1)} {
		if _, err := parseChildrenCPU(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestParseStatus(t *testing.T) {
	var u usage
	if err := u.parseStatus("Name:\todb\nVmHWM:\t   99 kB\nVmRSS:\t   17000 kB\nThreads:\t9\n"); err != nil || u.RSS != 17000<<10 || u.Threads != 9 {
		t.Errorf("got %+v, %v", u, err)
	}
	for _, bad := range []string{"", "Threads:\t9\n", "VmRSS:\tmuch\nThreads:\t9\n"} {
		if err := u.parseStatus(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestUsageOfThisProcess(t *testing.T) {
	if _, err := os.Stat("/proc/self/schedstat"); err != nil {
		t.Skip("the driver measures on Linux only")
	}
	before, err := usageOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for started := time.Now(); time.Since(started) < 50*time.Millisecond; {
		continue // at work
	}
	after, err := usageOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if after.CPU <= before.CPU || after.RSS == 0 || after.Threads == 0 || after.Files == 0 {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

func TestOutputCountsWholeLines(t *testing.T) {
	o, err := newOutput("ran")
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	for _, step := range []struct {
		printed string
		want    int
	}{
		{"", 0},
		{"it ran\nit rested\n", 1},
		{"it ran and ran\n", 2},
		{strings.Repeat("it rested\n", 10_000) + "it ran\n", 3},
		{"", 3},
	} {
		if _, err := o.writer.WriteString(step.printed); err != nil {
			t.Fatal(err)
		}
		if got, err := o.lines(); err != nil || got != step.want {
			t.Errorf("%d, %v; expected %d", got, err, step.want)
		}
	}
	if end := o.text(); len(end) > 2*keptOutput || !strings.HasSuffix(end, "it rested\nit ran\n") {
		t.Errorf("kept %d bytes that end in %q", len(end), end[max(0, len(end)-50):])
	}
}

func TestLoadMakesEachCallOnce(t *testing.T) {
	const calls = 100
	made := make(chan int, calls)
	l := load{clients: 7, first: 1000, calls: calls, call: func(_ context.Context, n int) error {
		made <- n
		return nil
	}}
	went, err := l.run(t.Context())
	if err != nil || len(went.latencies) != calls || !slices.IsSorted(went.latencies) {
		t.Fatalf("%d latencies, %v", len(went.latencies), err)
	}
	close(made)
	var numbers []int
	for n := range made {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	if len(slices.Compact(slices.Clone(numbers))) != calls || numbers[0] != 1000 || numbers[calls-1] != 1000+calls-1 {
		t.Errorf("the calls were %v", numbers)
	}
}

func TestLoadEndsWithTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	l := load{clients: 1, calls: 100, call: func(_ context.Context, n int) error {
		if n > 3 {
			t.Errorf("call %d was made after the error", n)
		}
		if n == 3 {
			return broken
		}
		return nil
	}}
	if _, err := l.run(t.Context()); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestFlags(t *testing.T) {
	o, err := parse([]string{"-quick", "-clients", "2,4", "-check"})
	if err != nil || !slices.Equal(o.clients, []int{2, 4}) || !slices.Equal(o.deployments, []int{10, 1000}) || o.calls != 60 || !o.check {
		t.Errorf("got %+v, %v", o, err)
	}
	if _, err := parse([]string{"-clients", "128", "-calls", "1900"}); err == nil {
		t.Error("more calls were allowed than the Director remembers tasks")
	}
}

// measured is a verb's measurement with that much CPU and that many connections in 100 calls.
func measured(verb string, cpu time.Duration, connections int) measurement {
	m := measurement{verb: verb, cpu: 100 * cpu, director: traffic{Connections: connections}}
	m.latencies = make([]time.Duration, 100)
	return m
}

func TestTargets(t *testing.T) {
	good := func() *results {
		r := &results{starts: []time.Duration{1, 2, 3}, growth: growth{polls: 10}}
		for _, deployments := range []int{10, 50000} {
			var all []measurement
			for _, c := range cpuTargets() {
				all = append(all, measured(c.verb, c.most/2, 1))
			}
			r.tables = append(r.tables, table{clients: 1, deployments: deployments, measured: all})
		}
		return r
	}
	if list := good().targets(); missed(list) {
		t.Errorf("missed: %+v", list)
	}
	for _, c := range []struct {
		missed string
		spoil  func(*results)
	}{
		{"CPU a call, provision", func(r *results) { r.tables[1].measured[2].cpu = time.Hour }},
		{"CPU with 50000 deployments", func(r *results) { r.tables[1].measured[2].cpu += r.tables[1].measured[2].cpu / 3 }},
		{"new connections", func(r *results) { r.tables[0].measured[1].director.Connections = 2 }},
		{"provisions a second", func(r *results) { r.distant = &measurement{served: served{took: time.Second}} }},
		{"others' slowest provision", func(r *results) {
			r.beside = &besideSlow{beside: measurement{served: served{latencies: []time.Duration{time.Millisecond, time.Minute}}}}
		}},
		{"CPU until the first answer", func(r *results) { r.starts[1], r.starts[2] = time.Second, time.Second }},
		{"RSS, idle", func(r *results) { r.idle.RSS = 26 << 20 }},
		{"growth of RSS", func(r *results) { r.growth.after.RSS = 3 << 20 }},
	} {
		r := good()
		c.spoil(r)
		list := r.targets()
		if !slices.ContainsFunc(list, func(t target) bool { return !t.met && strings.HasPrefix(t.what, c.missed) }) {
			t.Errorf("%s: not missed in %+v", c.missed, list)
		}
	}
}

func TestPrintedTable(t *testing.T) {
	m := measured(bindVerb, 1500*time.Microsecond, 2)
	m.took, m.adapterCPU, m.adapterRuns, m.after.RSS = time.Second, 200*time.Millisecond, 100, 20<<20
	m.director.Requests = 200
	var out bytes.Buffer
	printMeasurements(&out, m)
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 3 || len(lines[0]) != len(lines[1]) {
		t.Fatalf("printed %q", lines)
	}
	want := []string{"bind", "100", "100", "0.00", "0.00", "1.50", "2.00", "1.0", "2.00", "0.00", "0.020", "20.0"}
	if got := strings.Fields(lines[1]); !slices.Equal(got, want) {
		t.Errorf("printed %q, expected %q", got, want)
	}
}
