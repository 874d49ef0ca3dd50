package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/companions"
	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/mgmtclient"
)

// repairPolls is how often the deletion of what is repaired is asked about.
const repairPolls = time.Second

// instancesRepair is what the command was told.
type instancesRepair struct {
	to        connection
	apply     bool
	treatment companions.Treatment
	grace     time.Duration
	platform  string
	asJSON    bool
}

func instancesRepairCommand() *cobra.Command {
	var r instancesRepair
	cmd := &cobra.Command{
		Use:   "repair INSTANCE",
		Short: "Show what platform, Director, CredHub and UAA know of an instance, and mend what doesn't fit together",
		Long: "repair shows what each one knows of a service instance and what doesn't fit together. With --apply it mends what the broker can\n" +
			"mend: a stuck operation, an orphan, what a deletion has left. Nothing is removed that a platform knows; a failed creation that\n" +
			"can't be deleted there is made to be forgotten there first, by --purge.\n\n" +
			"Exit codes: 0 if it fits together, or does now; 1 failure; 2 usage; 3 if something is left to be mended.",
		Args: oneInstance,
		RunE: func(cmd *cobra.Command, args []string) error { return r.run(cmd, args[0]) },
	}
	r.to.addFlags(cmd, brokerOrigins(), platformOrigins())
	addGraceFlag(cmd, &r.grace)
	flags := cmd.Flags()
	flags.BoolVar(&r.apply, "apply", false, "mend it")
	flags.StringSliceVar(&r.treatment.Codes, "finding", nil, "with --apply, mend only the findings with these codes")
	flags.BoolVar(&r.treatment.Purge, "purge", false, "with --apply, let Cloud Foundry forget the instance first, if its creation failed or its deployment is missing")
	flags.BoolVar(&r.treatment.Force, "force", false, "with --apply, go on where pre-delete errands fail, and delete even if BOSH leaves VMs behind")
	flags.StringVar(&r.platform, "platform", "", "known or unknown: what the platform knows of the instance, where it isn't Cloud Foundry")
	flags.BoolVar(&r.asJSON, "json", false, "print JSON")
	return cmd
}

func (r *instancesRepair) run(cmd *cobra.Command, id string) error {
	file, err := r.to.load(cmd, config.NeedBrokerAPI)
	if err != nil {
		return err
	}
	patient := companions.Patient{ID: id, Said: r.platform}
	if patient.Broker, err = newBroker(file, 0); err != nil {
		return err
	}
	platform, err := newCloudFoundry(file.CF, onlooker{})
	if err != nil {
		return err
	}
	if platform != nil {
		patient.Platform = platform
	}
	if err := r.check(patient); err != nil {
		return err
	}
	if r.apply {
		return r.treat(cmd, patient)
	}
	diagnosis, err := patient.Diagnose(cmd.Context())
	if err != nil {
		return err
	}
	if r.asJSON {
		err = printJSON(cmd.OutOrStdout(), diagnosis)
	} else {
		err = printDiagnosis(cmd.OutOrStdout(), diagnosis)
	}
	if err == nil && len(diagnosis.Findings.Findings) > 0 {
		return exitCode(exitSomeFailed)
	}
	return err
}

func (r *instancesRepair) check(patient companions.Patient) error {
	switch {
	case !r.apply && (r.treatment.Purge || r.treatment.Force || len(r.treatment.Codes) > 0):
		return usageError{errors.New("--finding, --purge and --force go with --apply")}
	case r.treatment.Purge && patient.Platform == nil:
		return usageError{errors.New("--purge needs to know where Cloud Foundry is")}
	case r.platform != "" && patient.Platform != nil:
		return usageError{errors.New("--platform is for platforms other than Cloud Foundry, which is asked itself")}
	}
	return nil
}

func (r *instancesRepair) treat(cmd *cobra.Command, patient companions.Patient) error {
	r.treatment.Grace, r.treatment.Every = given(cmd, "grace", &r.grace), repairPolls
	done, err := patient.Treat(cmd.Context(), r.treatment)
	if r.asJSON {
		err = errors.Join(err, printJSON(cmd.OutOrStdout(), done))
	} else {
		printTreated(cmd.OutOrStdout(), done)
	}
	if err != nil {
		return err
	}
	if len(done.Skipped) > 0 {
		return exitCode(exitSomeFailed)
	}
	return nil
}

func printTreated(out io.Writer, done companions.Treated) {
	if done.Purged {
		fmt.Fprintln(out, "Cloud Foundry has forgotten the instance")
	}
	for _, m := range done.Mended {
		fmt.Fprintf(out, "mended %s: %s\n", m.Code, m.Done)
	}
	for _, s := range done.Skipped {
		fmt.Fprintf(out, "left %s: %s\n", s.Code, s.Why)
	}
	if len(done.Mended)+len(done.Skipped) == 0 {
		fmt.Fprintln(out, "there was nothing to mend")
	}
}

func printDiagnosis(out io.Writer, d companions.Diagnosis) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(who, what string) { fmt.Fprintf(table, "%s:\t%s\n", who, what) }
	line("instance", d.InstanceID)
	if cf := d.CloudFoundry; cf != nil {
		line("Cloud Foundry", fmt.Sprintf("%s, space %s; %s %s %s", cf.Name, cf.SpaceGUID, cf.LastOperation.Type, cf.LastOperation.State, cf.LastOperation.Description))
	} else {
		line("platform", d.Platform)
	}
	line("Director", director(d.Director))
	line("CredHub", kept(d.CredHub.Asked, d.CredHub.Problem, append(d.CredHub.Secrets, d.CredHub.BindingCredentials...)))
	client := []string{}
	if d.UAA.Client {
		client = append(client, "a client")
	}
	line("UAA", kept(d.UAA.Asked, d.UAA.Problem, client))
	if err := table.Flush(); err != nil {
		return err
	}
	if len(d.Findings.Findings) == 0 {
		_, err := fmt.Fprintln(out, "it fits together")
		return err
	}
	for _, f := range d.Findings.Findings {
		by := ""
		if f.Mendable {
			by = " (repair --apply does it)"
		}
		fmt.Fprintf(out, "%s: %s\n  what helps: %s%s\n", f.Code, f.Description, f.Step, by)
	}
	return nil
}

// director is what the Director has, in a line.
func director(d mgmtclient.DirectorFindings) string {
	told := []string{"deployment " + strings.ReplaceAll(d.Deployment, "_", " ")}
	for _, t := range d.Tasks {
		told = append(told, fmt.Sprintf("task %d %s (%s)", t.ID, t.State, t.Description))
	}
	if t := d.LastTask; t != nil {
		told = append(told, fmt.Sprintf("last task %d %s (%s)", t.ID, t.State, t.Description))
	}
	if len(d.Configs) > 0 {
		told = append(told, "configs "+strings.Join(d.Configs, ", "))
	}
	if r := d.Record; r != nil {
		told = append(told, "remembered with plan "+dash(r.PlanID))
	}
	return strings.Join(told, "; ")
}

// kept is what somebody keeps of the instance.
func kept(asked bool, problem string, names []string) string {
	switch {
	case problem != "":
		return problem
	case !asked:
		return "not asked"
	case len(names) == 0:
		return "nothing"
	default:
		return strings.Join(names, ", ")
	}
}
