package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// oldCommands are the predecessor's programs: each is what this binary is when it is called through a link of that name, and
// a subcommand. Their flags, exit codes and log lines are those that owners' job templates and scripts count on.
func oldCommands() []*cobra.Command {
	return []*cobra.Command{
		onDemandServiceBroker(),
		orphanDeployments(),
		collectServiceMetrics(),
		brokerPostStart(),
		upgradeAllServiceInstances(),
		recreateAllServiceInstances(),
		registerBroker(),
		deregisterBroker(),
		deleteAllServiceInstances(),
		deleteAllServiceInstancesAndDeregisterBroker(),
	}
}

func isOldName(name string) bool {
	return slices.ContainsFunc(oldCommands(), func(c *cobra.Command) bool { return c.Name() == name })
}

func addOldCommands(root *cobra.Command) {
	group := &cobra.Group{ID: "old", Title: "Under the names of the predecessor's programs:"}
	root.AddGroup(group)
	for _, command := range oldCommands() {
		command.GroupID = group.ID
		command.Args = noArguments
		root.AddCommand(command)
	}
}

// twoDashes gives flags that were written with one dash, as the predecessor's were and as owners' job templates still do, the
// second one. Only what the command knows as a flag is touched, and never a flag's value, which may be a password with a dash.
func twoDashes(root *cobra.Command, args []string) []string {
	command, _, err := root.Find(args)
	if err != nil {
		return args
	}
	translated := slices.Clone(args)
	for i := 0; i < len(translated); i++ {
		if translated[i] == "--" {
			break
		}
		flag, glued := longFlag(command, translated[i])
		if flag == nil {
			continue
		}
		if !strings.HasPrefix(translated[i], "--") {
			translated[i] = "-" + translated[i]
		}
		if !glued && flag.NoOptDefVal == "" {
			i++ // what follows is its value
		}
	}
	return translated
}

// longFlag is the command's flag that an argument is, with one dash or two; glued tells whether its value stands in the argument.
func longFlag(command *cobra.Command, arg string) (flag *pflag.Flag, glued bool) {
	name, isFlag := strings.CutPrefix(arg, "-")
	if !isFlag {
		return nil, false
	}
	name, glued = cutValue(strings.TrimPrefix(name, "-"))
	if len(name) < 2 { // a shorthand
		return nil, false
	}
	return command.Flags().Lookup(name), glued
}

func cutValue(arg string) (name string, glued bool) {
	name, _, glued = strings.Cut(arg, "=")
	return name, glued
}

// onDemandServiceBroker is serve by its old name.
func onDemandServiceBroker() *cobra.Command {
	command := serveCommand()
	command.Use = "on-demand-service-broker -configFilePath broker.yml"
	return command
}
