package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestHighWaterMark(t *testing.T) {
	for status, want := range map[string]int64{
		"Name:\todb\nVmPeak:\t  900 kB\nVmHWM:\t   17000 kB\nVmRSS:\t   16000 kB\n": 17000 << 10,
		"Name:\todb\nState:\tZ (zombie)\n":                                          0,
		"":                                                                          0,
	} {
		if got := highWaterMark(status); got != want {
			t.Errorf("%q: %d, expected %d", status, got, want)
		}
	}
}

func TestParseMachineCPU(t *testing.T) {
	if got, err := parseMachineCPU("cpu  100 20 3 5000 4000 2 1 0 0 0\ncpu0 1 1 1 1 1 1 1 0 0 0\n"); err != nil || got != 1260*time.Millisecond {
		t.Errorf("got %s, %v", got, err)
	}
	for _, bad := range []string{"", "cpu 1 2 3\n", "cpu a 2 3 4 5 6 7\n", "intr 1 2 3 4 5 6 7\n"} {
		if _, err := parseMachineCPU(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestRunCommandReadsToTheEnd(t *testing.T) {
	r, err := runCommand(t.Context(), "sh", "-c", "echo one; echo two; sleep 0.1; printf three")
	if err != nil || r.lines != 3 || r.last != "three" || r.peak == 0 || r.took < 100*time.Millisecond {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := runCommand(t.Context(), "sh", "-c", "echo said; echo complained >&2; exit 3"); err == nil ||
		!strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "said\ncomplained") {
		t.Errorf("got %v", err)
	}
}

func TestFleetTargets(t *testing.T) {
	good := func() []fleetMeasurement {
		var all []fleetMeasurement
		for _, size := range []int{250, 1000} {
			for _, run := range fleetRuns() {
				all = append(all, fleetMeasurement{run: run.name, size: size, requests: 3 * size, command: ran{took: ideal(size)}})
			}
		}
		return all
	}
	if list := fleetTargets(good()); missed(list) || len(list) != 3*len(fleetRuns()) {
		t.Errorf("missed: %+v", list)
	}
	last := len(good()) - 1
	for _, c := range []struct {
		missed int
		spoil  func([]fleetMeasurement)
	}{
		{1, func(all []fleetMeasurement) { all[last].command.took = ideal(1000) * 116 / 100 }},
		{2, func(all []fleetMeasurement) { all[last].requests = 4100 }}, // too many, and more than in the smaller fleet
		{1, func(all []fleetMeasurement) { all[last].requests = 3400 }},
		{0, func(all []fleetMeasurement) { all[0].command.took, all[0].requests = time.Hour, 1000 }}, // the small fleet is only compared with
	} {
		all := good()
		c.spoil(all)
		list := fleetTargets(all)
		if got := len(slices.DeleteFunc(list, func(t target) bool { return t.met })); got != c.missed {
			t.Errorf("%d are missed, not %d", got, c.missed)
		}
	}
	if list := listingTargets(50, []listing{{"list", ran{peak: 60 << 20}}, {"more", ran{peak: 60<<20 + 1}}}); !list[0].met || list[1].met {
		t.Errorf("%+v", list)
	}
}

func TestPrintedFleet(t *testing.T) {
	var out bytes.Buffer
	printFleet(&out, 100, []fleetMeasurement{{
		run: "recreate", size: 100, requests: 200, director: traffic{Requests: 300, Tasks: 100},
		command: ran{took: 5 * time.Second, cpu: time.Second, peak: 20 << 20}, brokerCPU: 2 * time.Second, adapterCPU: 3 * time.Second, directorCPU: 4 * time.Second, platformCPU: 5 * time.Second, restCPU: 6 * time.Second,
	}})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	want := []string{"recreate", "5.0", "1.250", "2.00", "3.00", "100", "1.0", "2.0", "3.0", "4.0", "5.0", "6.0", "20.0"}
	if got := strings.Fields(lines[len(lines)-1]); !slices.Equal(got, want) {
		t.Errorf("printed %q, expected %q", got, want)
	}
}
