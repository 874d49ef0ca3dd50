package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/httpclient"
	"github.com/on-demand-broker/odb/osbcheck"
)

// osbCheckFlags are what `odb osb-check` can be told beside whom to ask.
type osbCheckFlags struct {
	options                   osbcheck.Options
	provision, update, bind   string // parameters
	caCert                    string
	skipTLS, asJSON, failures bool
	values                    map[string]*string // of the origins, by flag
}

func osbCheckCommand() *cobra.Command {
	f := osbCheckFlags{values: map[string]*string{}}
	cmd := &cobra.Command{
		Use:   "osb-check --url https://broker.example.com --username USER",
		Short: "Check a broker, any broker, against the Open Service Broker API 2.17",
		Long: "osb-check goes through the specification, row by row, and prints which rows hold. Without --provision it only reads.\n" +
			"With it, instances and bindings are made, updated and deleted: use a broker that may be tried out. What was made is removed,\n" +
			"also after Ctrl-C; a second Ctrl-C ends it at once and tells what may be left. Exit code 1 if a row doesn't hold, or something could not be removed.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.complete(); err != nil {
				return err
			}
			f.options.Tell = func(text string) { fmt.Fprintln(cmd.ErrOrStderr(), "odb: "+text) }
			leave, cancel := leaving(cmd.Context())
			defer cancel()
			f.options.Stop = cmd.Context().Done()
			report, err := osbcheck.Run(leave, f.options)
			if err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), report)
		},
	}
	f.addFlags(cmd)
	return cmd
}

func (f *osbCheckFlags) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	for _, o := range f.origins() {
		f.values[o.flag] = flags.String(o.flag, "", fmt.Sprintf("%s (%s)", o.usage, o.variable))
	}
	flags.BoolVar(&f.skipTLS, "skip-tls-verification", false, "trust whoever answers")
	flags.BoolVar(&f.options.Provision, "provision", false, "allow instances and bindings to be made, which are removed again")
	flags.StringVar(&f.options.ServiceID, "service-id", "", "the service to work with; the catalog's first if empty")
	flags.StringVar(&f.options.PlanID, "plan-id", "", "its plan to work with; the first bindable one if empty")
	flags.StringVar(&f.options.OtherPlanID, "other-plan-id", "", "a second plan of it; the next one if empty")
	flags.StringVar(&f.provision, "provision-parameters", "", "JSON object to make instances with")
	flags.StringVar(&f.update, "update-parameters", "", "JSON object to update the instance with")
	flags.StringVar(&f.bind, "bind-parameters", "", "JSON object to make bindings with")
	flags.StringVar(&f.options.OrganizationGUID, "organization-guid", "", "organization of the instances; made up if empty")
	flags.StringVar(&f.options.SpaceGUID, "space-guid", "", "space of the instances; made up if empty")
	flags.DurationVar(&f.options.RequestTimeout, "request-timeout", time.Minute, "how long one request may take")
	flags.DurationVar(&f.options.OperationTimeout, "operation-timeout", time.Hour, "how long one operation may take, and the removal at the end")
	flags.DurationVar(&f.options.PollInterval, "poll-interval", 2*time.Second, "how often operations are asked about")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
	flags.BoolVar(&f.failures, "failures", false, "print only the rows that fail")
}

// told is one thing about the broker, from the flag or the environment. Its set is called with what was said.
type told struct {
	origin
	set func(f *osbCheckFlags, value string)
}

// origins say whom to ask, under the names by which one thinks of any broker. The variables are those of the other commands.
func (f *osbCheckFlags) origins() []told {
	return []told{
		{origin{flag: "url", variable: "ODB_BROKER_URL", usage: "the broker's URL"}, func(f *osbCheckFlags, v string) { f.options.URL = v }},
		{origin{flag: "username", variable: "ODB_BROKER_USERNAME", usage: "the broker's user"}, func(f *osbCheckFlags, v string) { f.options.Username = v }},
		{origin{flag: "password-file", variable: "ODB_BROKER_PASSWORD", usage: "file with that user's password, which the variable holds itself", file: true},
			func(f *osbCheckFlags, v string) { f.options.Password = v }},
		{origin{flag: "ca-cert-file", variable: "ODB_BROKER_CA_CERT", usage: "file with the CA certificates of the broker, PEM, which the variable holds itself", file: true},
			func(f *osbCheckFlags, v string) { f.caCert = v }},
	}
}

// complete reads what the flags lead to.
func (f *osbCheckFlags) complete() (err error) {
	for _, t := range f.origins() {
		value := os.Getenv(t.variable)
		if given := *f.values[t.flag]; given != "" {
			if value, err = t.read(given); err != nil {
				return err
			}
		}
		t.set(f, value)
	}
	if f.options.URL == "" {
		return usageError{errors.New("the broker's URL is missing: give it with --url or ODB_BROKER_URL")}
	}
	f.options.ProvisionParameters, f.options.UpdateParameters, f.options.BindParameters = json.RawMessage(f.provision), json.RawMessage(f.update), json.RawMessage(f.bind)
	f.options.Transport, err = httpclient.NewTransport(httpclient.Options{CACert: f.caCert, SkipVerify: f.skipTLS})
	if err != nil {
		return fmt.Errorf("the broker's CA certificate: %w", err)
	}
	return nil
}

func (f *osbCheckFlags) print(w io.Writer, report osbcheck.Report) error {
	shown := report // the verdict and the counts are about all rows
	if f.failures {
		shown.Results = slices.DeleteFunc(slices.Clone(report.Results), func(r osbcheck.Result) bool { return r.Outcome != osbcheck.Failed })
	}
	var err error
	if f.asJSON {
		err = printJSON(w, shown)
	} else if err = printReport(w, shown); err == nil {
		err = printCounts(w, report)
	}
	if err == nil && !report.OK() {
		return errReported
	}
	return err
}

// printReport prints a line a row, and below a failed one what was asked and answered.
func printReport(w io.Writer, report osbcheck.Report) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range report.Results {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.Row, r.Level, r.Outcome, reportLine(r))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, r := range report.Results {
		if r.Outcome == osbcheck.Failed {
			printFailure(w, r)
		}
	}
	if report.Broken != "" {
		fmt.Fprintf(w, "\nThe service instance that most checks look at did not come through: %s\n", report.Broken)
	}
	for _, left := range report.Left {
		fmt.Fprintf(w, "\nCould not be removed: %s\n", left)
	}
	return nil
}

func printCounts(w io.Writer, report osbcheck.Report) error {
	_, err := fmt.Fprintf(w, "\n%d pass, %d fail, %d skipped, %d not checkable from outside\n",
		report.Count(osbcheck.Passed), report.Count(osbcheck.Failed), report.Count(osbcheck.Skipped), report.Count(osbcheck.NotCheckable))
	return err
}

func reportLine(r osbcheck.Result) string {
	if r.Why == "" {
		return r.Title
	}
	return r.Title + ": " + r.Why
}

func printFailure(w io.Writer, r osbcheck.Result) {
	fmt.Fprintf(w, "\n%s %s\n  must hold: %s\n  found:     %s\n", r.Row, r.Title, r.Holds, r.Why)
	if e := r.Exchange; e != nil {
		fmt.Fprintf(w, "  request:   %s %s\n  answer:    %d %s\n", e.Request, e.RequestBody, e.Status, e.Body)
	}
}
