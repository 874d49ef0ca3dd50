package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/companions"
	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/fleet"
)

func instancesListCommand() *cobra.Command {
	var to connection
	var org, space string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the service instances",
		Long:  "list shows the service instances that the broker's platform knows; with their names and places, and which ones are behind their\nplan's maintenance version, if Cloud Foundry is given.",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (org == "") != (space == "") {
				return usageError{errors.New("--org and --space go together")}
			}
			file, err := to.load(cmd, config.NeedBrokerAPI)
			if err != nil {
				return err
			}
			defer frugally()()
			listed, err := listInstancesOf(cmd.Context(), file, org, space)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), listed)
			}
			return printInstances(cmd.OutOrStdout(), listed)
		},
	}
	to.addFlags(cmd, brokerOrigins(), platformOrigins())
	cmd.Flags().StringVar(&org, "org", "", "only those of this organization's --space")
	cmd.Flags().StringVar(&space, "space", "", "only those of this space")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON list")
	return cmd
}

// listedInstance is an instance as the list shows it.
type listedInstance struct {
	fleet.Member
	// UpgradeTo is the maintenance version that Cloud Foundry offers an upgrade to.
	UpgradeTo string `json:"upgrade_to,omitempty"`
}

// listInstancesOf lists all instances, or those of a space. The broker, unlike Cloud Foundry, is asked for those of a space, since
// its list doesn't say where they are.
func listInstancesOf(ctx context.Context, file *config.Companion, org, space string) ([]listedInstance, error) {
	broker, err := newBroker(file, 0)
	if err != nil {
		return nil, err
	}
	platform, err := newCloudFoundry(file.CF, onlooker{})
	if err != nil {
		return nil, err
	}
	var foundry companions.CloudFoundry
	if platform != nil {
		foundry = platform
	}
	roster, err := companions.List(ctx, broker, foundry)
	if err != nil {
		return nil, err
	}
	chosen := fleet.Filter{}
	switch {
	case org != "" && platform != nil:
		chosen, err = fleet.ParseFilter([]string{"org=" + org, "space=" + space})
	case org != "":
		chosen, _, err = companions.Choose(ctx, broker, map[string]string{"cf_org": org, "cf_space": space})
	}
	if err != nil {
		return nil, err
	}
	listed := []listedInstance{}
	for _, member := range roster.Members {
		if chosen.Matches(member) {
			listed = append(listed, listedInstance{member, roster.UpgradeTo(member.ID)})
		}
	}
	return listed, nil
}

func printInstances(out io.Writer, listed []listedInstance) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "INSTANCE\tPLAN\tNAME\tORGANIZATION\tSPACE\tUPGRADE TO")
	for _, i := range listed {
		plan := i.Plan
		if plan == "" {
			plan = i.PlanID + " (not in the catalog)"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", i.ID, plan, dash(i.Name), dash(i.Org), dash(i.Space), dash(i.UpgradeTo))
	}
	return table.Flush()
}
