package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/mgmtclient"
)

func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// help is for commands that are only the first word of others.
func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// printChanges prints why an instance is due, and the Director's diff.
func printChanges(w io.Writer, changes mgmtclient.PendingChanges, indent string) {
	for _, reason := range changes.Reasons {
		fmt.Fprintf(w, "%sbecause: %s\n", indent, reason)
	}
	for _, line := range changes.Diff {
		mark := map[string]string{"added": "+ ", "removed": "- "}[line.Change]
		if mark == "" {
			mark = "  "
		}
		fmt.Fprintf(w, "%s%s%s\n", indent, mark, line.Line)
	}
}

func printJSONLine(w io.Writer, value any) error { return json.NewEncoder(w).Encode(value) }

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
