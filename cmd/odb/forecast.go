package main

import (
	"fmt"
	"io"

	"github.com/on-demand-broker/odb/companions"
	"github.com/on-demand-broker/odb/fleet"
	"github.com/on-demand-broker/odb/mgmtclient"
)

// forecast writes what a run would come to.
type forecast struct {
	out            io.Writer
	kind           string
	asJSON         bool
	canaries       int // that are still to be told of
	due, uncertain int
}

func newForecast(out io.Writer, kind string, asJSON bool, canaries int) *forecast {
	return &forecast{out: out, kind: kind, asJSON: asJSON, canaries: canaries}
}

func (f *forecast) tell(o companions.Outlook) error {
	canary := f.canaries > 0
	f.canaries--
	switch {
	case o.Due:
		f.due++
	case o.Unknown != "":
		f.uncertain++
	}
	if f.asJSON {
		return printJSONLine(f.out, struct {
			companions.Outlook
			Canary bool `json:"canary,omitempty"`
		}{o, canary})
	}
	return f.print(o, canary)
}

func (f *forecast) print(o companions.Outlook, canary bool) error {
	title := titleOf(o.Member)
	if canary {
		title += ", canary"
	}
	switch {
	case o.Due:
		fmt.Fprintf(f.out, "%s: due\n", title)
	case o.Unknown != "":
		fmt.Fprintf(f.out, "%s: can't be told: %s\n", title, o.Unknown)
		return nil
	default:
		fmt.Fprintf(f.out, "%s: up to date\n", title)
		return nil
	}
	if o.To != "" {
		fmt.Fprintf(f.out, "  through Cloud Foundry: maintenance version %s becomes %s\n", o.From, o.To)
	}
	if o.Unknown != "" {
		fmt.Fprintf(f.out, "  what will change can't be told: %s\n", o.Unknown)
	}
	if o.Changes != nil {
		printChanges(f.out, *o.Changes, "  ")
	}
	return nil
}

// titleOf is an instance as a forecast calls it.
func titleOf(m fleet.Member) string {
	title := "[" + m.ID + "]"
	if m.Name != "" {
		title += fmt.Sprintf(" %s (%s/%s)", m.Name, m.Org, m.Space)
	}
	return title + " plan " + dash(m.Plan)
}

func (f *forecast) end(all int) error {
	if f.asJSON {
		return nil
	}
	done := map[string]string{mgmtclient.Upgrade: "deployed", mgmtclient.Recreate: "recreated"}[f.kind]
	text := fmt.Sprintf("%d of %d service instances would be %s", f.due, all, done)
	if f.uncertain > 0 {
		text += fmt.Sprintf("; of %d it can't be told", f.uncertain)
	}
	_, err := fmt.Fprintln(f.out, text)
	return err
}
