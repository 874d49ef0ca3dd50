package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// target is something to reach, and what came of it.
type target struct {
	what, wanted, measured string
	met                    bool
}

func missed(targets []target) bool {
	return slices.ContainsFunc(targets, func(t target) bool { return !t.met })
}

// What is to be reached on two cores, with TLS to the Director. CPU is the broker's own, a call.
const (
	distantRateTarget   = 90.0 // provisions a second
	connectionsTarget   = 0.01 // new ones a call
	besideSlowTarget    = time.Second
	firstAnswerTarget   = 40 * time.Millisecond
	idleTarget          = 25 << 20
	growthTolerance     = 2 << 20 // what a garbage collector's heap differs by from one moment to the next
	deploymentTolerance = 1.25    // what CPU times differ by from one run to the next
)

func cpuTargets() []struct {
	verb string
	most time.Duration
} {
	return []struct {
		verb string
		most time.Duration
	}{
		{pollEndedVerb, 500 * time.Microsecond},
		{pollRunningVerb, 900 * time.Microsecond},
		{provisionVerb, 4 * time.Millisecond},
		{bindVerb, 2 * time.Millisecond},
		{deprovisionVerb, 2 * time.Millisecond},
		{updateVerb, 4500 * time.Microsecond},
	}
}

// targets compares results with at least one table.
func (r *results) targets() []target {
	var list []target
	for _, t := range cpuTargets() {
		list = append(list, r.cpuTarget(t.verb, t.most))
	}
	fewest := slices.MinFunc(r.tables, byDeployments).deployments
	most := slices.MaxFunc(r.tables, byDeployments).deployments
	if most > fewest {
		list = append(list, r.sameWithMany(fewest, most))
	}
	list = append(list, r.fewConnections())
	if d := r.distant; d != nil {
		list = append(list, target{
			what:   fmt.Sprintf("provisions a second by %d clients, %s Director latency", scenarioClients, directorLatency),
			wanted: fmt.Sprintf("≥ %.0f", distantRateTarget), measured: fmt.Sprintf("%.0f", d.perSecond()), met: d.perSecond() >= distantRateTarget,
		})
	}
	if b := r.beside; b != nil {
		worst := b.beside.percentile(100)
		list = append(list, target{
			what:   fmt.Sprintf("others' slowest provision beside one that takes %s", b.slow.Round(100*time.Millisecond)),
			wanted: "≤ " + besideSlowTarget.String(), measured: milliseconds(worst), met: worst <= besideSlowTarget,
		})
	}
	return append(list, r.ownTargets()...)
}

// cpuTarget counts as reached only if it is in every table.
func (r *results) cpuTarget(verb string, most time.Duration) target {
	all := r.of(verb)
	each := func(a, b measurement) int { return cmp.Compare(a.cpuEach(), b.cpuEach()) }
	t := target{what: "CPU a call, " + verb, wanted: "≤ " + milliseconds(most)}
	if len(all) > 0 {
		least, worst := slices.MinFunc(all, each).cpuEach(), slices.MaxFunc(all, each).cpuEach()
		t.measured = fmt.Sprintf("%.2f–%s", inMilliseconds(least), milliseconds(worst))
		t.met = worst <= most
	}
	return t
}

// of are a verb's measurements, in the order of the tables.
func (r *results) of(verb string) []measurement {
	var found []measurement
	for _, t := range r.tables {
		for _, m := range t.measured {
			if m.verb == verb {
				found = append(found, m)
			}
		}
	}
	return found
}

// sameWithMany compares the CPU of the most deployments with that of the fewest, verb by verb over all numbers of
// clients.
func (r *results) sameWithMany(fewest, most int) target {
	worst, worstVerb := 0.0, ""
	for _, t := range cpuTargets() {
		ratio := r.meanCPU(t.verb, most) / r.meanCPU(t.verb, fewest)
		if ratio > worst || math.IsNaN(ratio) {
			worst, worstVerb = ratio, t.verb
		}
	}
	return target{
		what:   fmt.Sprintf("CPU with %d deployments to that with %d, each verb", most, fewest),
		wanted: fmt.Sprintf("≤ %.2f", deploymentTolerance), measured: fmt.Sprintf("%.2f (%s)", worst, worstVerb), met: worst <= deploymentTolerance,
	}
}

func byDeployments(a, b table) int { return cmp.Compare(a.deployments, b.deployments) }

func (r *results) meanCPU(verb string, deployments int) float64 {
	var cpu time.Duration
	calls := 0
	for _, t := range r.tables {
		for _, m := range t.measured {
			if t.deployments == deployments && m.verb == verb {
				cpu += m.cpu
				calls += m.calls()
			}
		}
	}
	return cpu.Seconds() / float64(calls)
}

func (r *results) fewConnections() target {
	worst, worstVerb := 0.0, "none opened any"
	for _, t := range r.tables {
		for _, m := range t.measured {
			if each := m.each(m.director.Connections); each > worst {
				worst, worstVerb = each, fmt.Sprintf("%s, %d clients", m.verb, t.clients)
			}
		}
	}
	return target{
		what: "new connections to the Director per 100 calls", wanted: fmt.Sprintf("≤ %.0f", 100*connectionsTarget),
		measured: fmt.Sprintf("%.1f (%s)", 100*worst, worstVerb), met: worst <= connectionsTarget,
	}
}

// ownTargets are those of the process itself.
func (r *results) ownTargets() []target {
	start := median(r.starts)
	grown := r.growth.after.RSS - r.growth.before.RSS
	return []target{
		{what: "CPU until the first answer", wanted: "≤ " + milliseconds(firstAnswerTarget), measured: milliseconds(start), met: start <= firstAnswerTarget},
		{what: "RSS, idle", wanted: "≤ " + megabytes(idleTarget), measured: megabytes(r.idle.RSS), met: r.idle.RSS <= idleTarget},
		{
			what: fmt.Sprintf("growth of RSS by %d polls", r.growth.polls), wanted: "none (≤ " + megabytes(growthTolerance) + ")",
			measured: megabytes(grown), met: grown <= growthTolerance,
		},
	}
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return served{latencies: sorted}.percentile(50)
}
