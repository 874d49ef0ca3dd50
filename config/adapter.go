package config

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// DefaultAdapterTimeout is what one run of the service adapter may take, unless service_adapter.timeout or
// service_adapter.timeouts say otherwise.
const DefaultAdapterTimeout = 5 * time.Minute

// ServiceAdapter is the service author's executable.
type ServiceAdapter struct {
	Path string `yaml:"path"`
	// MountPaths are what BOSH's process manager mounts for the adapter. The broker itself has no use for them.
	MountPaths []string `yaml:"mount_paths"`
	// Timeout is for one run.
	Timeout time.Duration `yaml:"timeout"`
	// Timeouts is Timeout for some of the adapter's subcommands, by their names.
	Timeouts map[string]time.Duration `yaml:"timeouts"`
	// Env is exactly what the adapter gets as its environment; nil means that of the broker.
	Env SecretValues `yaml:"env"`
}

// adapterVerbs are the adapter's subcommands.
func adapterVerbs() []string {
	return []string{"generate-manifest", "dashboard-url", "create-binding", "delete-binding", "generate-plan-schemas"}
}

func (a ServiceAdapter) check(at section) {
	at.key("path").need(Error, a.Path != "", "give the path of the service adapter's executable")
	verbs := adapterVerbs()
	for _, verb := range slices.Sorted(maps.Keys(a.Timeouts)) {
		if !slices.Contains(verbs, verb) {
			at.key("timeouts", verb).refuse("is no subcommand of a service adapter", "use one of "+strings.Join(verbs, ", "))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.Env)) {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(a.Env[name], "\x00") {
			at.key("env", name).refuse("can't stand in an environment", "use a name without = and a value without NUL")
		}
	}
}
