package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

func inMilliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func milliseconds(d time.Duration) string {
	if d >= 100*time.Millisecond {
		return fmt.Sprintf("%.0f ms", inMilliseconds(d))
	}
	return fmt.Sprintf("%.2f ms", inMilliseconds(d))
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20)) }

// printMachine says what the numbers were measured on.
func printMachine(out io.Writer) {
	model := "unknown CPU"
	text, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	fmt.Fprintf(out, "%d cores of %s, %s\n", runtime.NumCPU(), model, runtime.Version())
}

func printStarts(out io.Writer, starts []time.Duration, idle usage) {
	fmt.Fprintf(out, "\nStart: %s of CPU until the first answer (median of %d). Idle: %s RSS, %d threads, %d open files.\n",
		milliseconds(median(starts)), len(starts), megabytes(idle.RSS), idle.Threads, idle.Files)
}

func printTable(out io.Writer, t table) {
	fmt.Fprintf(out, "\nClients: %d. Deployments in the Director: %d.\n", t.clients, t.deployments)
	printMeasurements(out, t.measured...)
}

func printAlone(out io.Writer, title string, m measurement) {
	fmt.Fprintf(out, "\n%s:\n", title)
	printMeasurements(out, m)
}

func printMeasurements(out io.Writer, list ...measurement) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tcalls\tper second\tp50 ms\tp99 ms\tCPU ms\tadapter CPU ms\tadapter runs\tDirector requests\ttasks\tnew connections\tRSS MB\t")
	for _, m := range list {
		fmt.Fprintf(w, "%s\t%d\t%.0f\t%.2f\t%.2f\t%.2f\t%.2f\t%.1f\t%.2f\t%.2f\t%.3f\t%.1f\t\n",
			m.verb, m.calls(), m.perSecond(), inMilliseconds(m.percentile(50)), inMilliseconds(m.percentile(99)),
			inMilliseconds(m.cpuEach()), inMilliseconds(m.adapterCPU)/float64(max(m.calls(), 1)), m.each(m.adapterRuns),
			m.each(m.director.Requests), m.each(m.director.Tasks), m.each(m.director.Connections), float64(m.after.RSS)/(1<<20))
	}
	w.Flush()
}

func printBeside(out io.Writer, b besideSlow) {
	printAlone(out, fmt.Sprintf("Provisions by %d clients, nothing else going on", scenarioClients), b.alone)
	printAlone(out, fmt.Sprintf("The same while one more provision waits %s for its adapter", b.slow.Round(100*time.Millisecond)), b.beside)
}

func printGrowth(out io.Writer, g growth) {
	printAlone(out, fmt.Sprintf("%d polls by %d clients, of ended and running operations by turns", g.polls, scenarioClients), g.measured)
	for _, at := range []struct {
		when string
		usage
	}{{"before", g.before}, {"after", g.after}} {
		fmt.Fprintf(out, "%s: %s RSS, %d threads, %d open files\n", at.when, megabytes(at.RSS), at.Threads, at.Files)
	}
}

func printTargets(out io.Writer, targets []target) {
	fmt.Fprintln(out, "\nTargets, on two cores that do nothing else:")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, t := range targets {
		verdict := "met"
		if !t.met {
			verdict = "MISSED"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", verdict, t.what, t.measured, t.wanted)
	}
	w.Flush()
}
