package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/on-demand-broker/odb/config"
)

func configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Check a broker.yml, show an example of one, or its JSON Schema", Args: noArguments, RunE: help}
	cmd.AddCommand(configCheckCommand(), configExampleCommand(), configSchemaCommand())
	return cmd
}

func configSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print a JSON Schema (draft 2020-12) of broker.yml, for editors",
		Long:  "schema prints what editors need to complete, explain and check a broker.yml while it is written. What takes more than a look at\nneighbouring keys only `odb config check` tells.",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(config.Schema())
			return err
		},
	}
}

func configExampleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "example",
		Short: "Print a broker.yml with every key, explained",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(config.Example())
			return err
		},
	}
}

func configCheckCommand() *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check --config broker.yml",
		Short: "Check a broker.yml and tell all that is wrong with it",
		Long:  "check reads broker.yml as serve does, but lets nothing pass: what is a warning there, like an unknown key, fails here.\nIt asks neither the Director nor the adapter. Exit code 1 if there is a problem.",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" {
				return errors.New("the path of broker.yml is missing: give it with --config")
			}
			problems, err := allProblems(path)
			if err != nil {
				return err
			}
			if err := printProblems(cmd.OutOrStdout(), path, problems, asJSON); err != nil {
				return err
			}
			if slices.ContainsFunc(problems, fails) {
				return errReported
			}
			return nil
		},
	}
	addConfigFlag(cmd, &path)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the problems as a JSON list")
	return cmd
}

// allProblems are those that serve would refuse to start for, and those that it would start with.
func allProblems(path string) ([]config.Problem, error) {
	_, problems, err := config.Load(path)
	var refused *config.Problems
	switch {
	case errors.As(err, &refused):
		problems = append(problems, refused.All...)
	case err != nil:
		return nil, err
	}
	config.SortByLine(problems)
	return problems, nil
}

// fails tells what must be mended from what is only worth knowing.
func fails(p config.Problem) bool { return p.Severity != config.Notice }

func printProblems(w io.Writer, path string, problems []config.Problem, asJSON bool) error {
	if asJSON {
		if problems == nil {
			problems = []config.Problem{} // a list, even of none
		}
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(problems)
	}
	for _, p := range problems {
		fmt.Fprintf(w, "%s [%s]\n", p, p.Severity)
	}
	if !slices.ContainsFunc(problems, fails) {
		fmt.Fprintf(w, "%s: ok\n", path)
	}
	return nil
}
