package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// What is to be reached by the commands that go through many instances.
const (
	stretchTarget  = 1.15 // times the ideal
	requestsTarget = 4.0  // to Cloud Foundry, an instance
	linearTarget   = 1.1  // requests an instance of the largest fleet to those of the smallest
	memoryTarget   = 60 << 20
)

// fleetTargets compares the runs of the largest fleet, and those of the smallest with them.
func fleetTargets(all []fleetMeasurement) []target {
	bySize := func(a, b fleetMeasurement) int { return cmp.Compare(a.size, b.size) }
	smallest, largest := slices.MinFunc(all, bySize).size, slices.MaxFunc(all, bySize).size
	fewer := map[string]float64{}
	for _, m := range all {
		if m.size == smallest {
			fewer[m.run] = m.requestsEach()
		}
	}
	var list []target
	for _, m := range all {
		if m.size != largest {
			continue
		}
		growth := m.requestsEach() / fewer[m.run]
		list = append(list, target{
			what:   fmt.Sprintf("%s, %d instances, %d in flight, tasks of %s", m.run, m.size, inFlight, fleetTasks),
			wanted: fmt.Sprintf("≤ %.1f s", stretchTarget*ideal(m.size).Seconds()), measured: fmt.Sprintf("%.1f s", m.command.took.Seconds()), met: m.stretch() <= stretchTarget,
		}, target{
			what:   m.run + ", requests to Cloud Foundry an instance",
			wanted: fmt.Sprintf("≤ %.0f", requestsTarget), measured: fmt.Sprintf("%.2f", m.requestsEach()), met: m.requestsEach() <= requestsTarget,
		}, target{
			what:   fmt.Sprintf("%s, the same with %d instances to that with %d", m.run, m.size, smallest),
			wanted: fmt.Sprintf("≤ %.1f", linearTarget), measured: fmt.Sprintf("%.2f", growth), met: growth <= linearTarget,
		})
	}
	return list
}

func listingTargets(listed int, listings []listing) []target {
	var list []target
	for _, l := range listings {
		list = append(list, target{
			what:   fmt.Sprintf("memory of odb %s, %d instances", l.name, listed),
			wanted: "≤ " + megabytes(memoryTarget), measured: megabytes(l.command.peak), met: l.command.peak <= memoryTarget,
		})
	}
	return list
}

func printFleet(out io.Writer, size int, measured []fleetMeasurement) {
	fmt.Fprintf(out, "\nInstances: %d. In flight: %d. Tasks of %s, so that the ideal is %s.\n", size, inFlight, fleetTasks, ideal(size))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\ttook s\tof the ideal\tCF requests each\tDirector requests each\ttasks\tcommand CPU s\tbroker\tadapters\tDirector\tCF\tothers\tcommand RSS MB\t")
	for _, m := range measured {
		fmt.Fprintf(w, "%s\t%.1f\t%.3f\t%.2f\t%.2f\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t\n",
			m.run, m.command.took.Seconds(), m.stretch(), m.requestsEach(), float64(m.director.Requests)/float64(m.size), m.director.Tasks,
			m.command.cpu.Seconds(), m.brokerCPU.Seconds(), m.adapterCPU.Seconds(), m.directorCPU.Seconds(), m.platformCPU.Seconds(), m.restCPU.Seconds(), float64(m.command.peak)/(1<<20))
	}
	w.Flush()
}

func printListings(out io.Writer, listed int, listings []listing) {
	fmt.Fprintf(out, "\nInstances that are listed: %d.\n", listed)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\ttook s\tcommand CPU s\tcommand RSS MB\t")
	for _, l := range listings {
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.1f\t\n", l.name, l.command.took.Seconds(), l.command.cpu.Seconds(), float64(l.command.peak)/(1<<20))
	}
	w.Flush()
}
