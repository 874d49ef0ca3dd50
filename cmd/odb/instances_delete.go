package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/companions"
	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/fleet"
)

// deleteFlags are what `odb instances delete` can be told.
type deleteFlags struct {
	fleetFlags
	to  connection
	yes bool
}

func instancesDeleteCommand() *cobra.Command {
	f := &deleteFlags{}
	cmd := &cobra.Command{
		Use:   "delete",
		Short: "Delete all service instances, or some, with their data",
		Long: "delete deletes service instances through Cloud Foundry: service keys, bindings of apps and routes and shares first, then\n" +
			"the instance. A deletion that runs already is waited for; one that has failed is tried again. Run again after it was stopped\n" +
			"or killed, it goes on where it was. On a terminal it asks first; elsewhere it wants --yes.",
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.to.addFlags(cmd, offeringOrigins(), platformOrigins())
	f.addTo(cmd, config.DeletionsInFlight)
	cmd.Flags().BoolVar(&f.yes, "yes", false, "don't ask")
	return cmd
}

// offeringOrigins are those of the offering whose instances are meant.
func offeringOrigins() []origin {
	return []origin{
		{flag: "service-offering-id", variable: "ODB_SERVICE_OFFERING_ID", usage: "the service offering's id in the broker's catalog",
			set: func(c *config.Companion, v string) { c.ServiceCatalog.ID = v }},
		brokerNameOrigin(),
	}
}

func (f *deleteFlags) run(cmd *cobra.Command) error {
	d := &deletion{stopAfter: f.stopAfter, telling: companions.Telling{Tell: tellingOf(cmd).Warn}}
	var err error
	if d.selection, err = f.selection(); err != nil {
		return err
	}
	f.to.complete = func(c *config.Companion) { f.complete(cmd, c) }
	if d.file, err = f.to.load(cmd, config.NeedCF, config.NeedOffering); err != nil {
		return err
	}
	if err = d.find(cmd.Context()); err != nil {
		return err
	}
	work, options, err := d.prepare(cmd.Context())
	if err != nil {
		return err
	}
	if f.dryRun {
		return f.foretell(cmd, work, options.Members)
	}
	if !f.yes && len(options.Members) > 0 {
		if err := confirm(cmd, d.doomed.Offering.Name, len(options.Members)); err != nil {
			return err
		}
	}
	summary, err := d.run(cmd.Context(), work, options, rendererFor(cmd.OutOrStdout(), deleteAllName, f.asJSON))
	if errors.Is(err, companions.ErrRemain) {
		fmt.Fprintf(cmd.ErrOrStderr(), "odb: %v\n", err)
		return exitCode(exitSomeFailed)
	}
	if err != nil {
		return err
	}
	return endOf(summary, cmd.ErrOrStderr())
}

// foretell shows who would be deleted, and what with them.
func (f *deleteFlags) foretell(cmd *cobra.Command, work *companions.Deletion, members []fleet.Member) error {
	out := cmd.OutOrStdout()
	for _, member := range members {
		attached, err := work.Attached(cmd.Context(), member.ID)
		if err != nil {
			return fmt.Errorf("what is bound to service instance %s: %w", member.ID, err)
		}
		if f.asJSON {
			err = printJSONLine(out, struct {
				Member   fleet.Member        `json:"instance"`
				Attached companions.Attached `json:"attached"`
			}{member, attached})
		} else {
			_, err = fmt.Fprintf(out, "%s: %s\n", titleOf(member), attachedText(attached))
		}
		if err != nil {
			return err
		}
	}
	if f.asJSON {
		return nil
	}
	_, err := fmt.Fprintf(out, "%d service instances would be deleted, with their data\n", len(members))
	return err
}

func attachedText(a companions.Attached) string {
	var parts []string
	for _, part := range []struct {
		count    int
		one, few string
	}{
		{a.Apps, "bound app", "bound apps"}, {a.Keys, "service key", "service keys"}, {a.Routes, "bound route", "bound routes"},
		{a.Shares, "space that it is shared with", "spaces that it is shared with"},
	} {
		switch {
		case part.count == 1:
			parts = append(parts, "1 "+part.one)
		case part.count > 1:
			parts = append(parts, fmt.Sprintf("%d %s", part.count, part.few))
		}
	}
	if len(parts) == 0 {
		return "nothing bound"
	}
	return strings.Join(parts, ", ")
}

// confirm lets a person on a terminal type how many instances are to be deleted, which nobody does by mistake.
func confirm(cmd *cobra.Command, offering string, count int) error {
	in, isFile := cmd.InOrStdin().(*os.File)
	if !isFile || !fleet.IsTerminal(in) {
		return usageError{errors.New("service instances are deleted with their data: look who, by --dry-run, and give --yes where there is no terminal to ask on")}
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%d service instances of %s will be deleted, with their data. Type their number to go on: ", count, offering)
	typed := make(chan string, 1)
	go func() { // left behind if nobody types anything: reading a terminal can't be cut short
		line, _ := bufio.NewReader(in).ReadString('\n') // what is cut off isn't the number
		typed <- strings.TrimSpace(line)
	}()
	select {
	case line := <-typed:
		if line == strconv.Itoa(count) {
			return nil
		}
		return errors.New("that isn't their number: nothing was deleted")
	case <-cmd.Context().Done():
		return errors.New("stopped before it was confirmed: nothing was deleted")
	}
}
