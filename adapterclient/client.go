package adapterclient

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The adapter's subcommands; also the keys of Options.Timeouts.
const (
	VerbGenerateManifest    = "generate-manifest"
	VerbDashboardURL        = "dashboard-url"
	VerbCreateBinding       = "create-binding"
	VerbDeleteBinding       = "delete-binding"
	VerbGeneratePlanSchemas = "generate-plan-schemas"
)

// What an Options field that is left at zero means.
const (
	DefaultTimeout     = 5 * time.Minute
	DefaultKillAfter   = 5 * time.Second
	DefaultOutputLimit = 16 << 20
)

// Options say which executable to run and within which bounds.
type Options struct {
	// Path of the executable. A relative one is resolved against the working directory at the time of New, since
	// the adapter itself runs in the system's temporary folder.
	Path string
	// UseStdin chooses the current protocol: one JSON object on stdin. Without it everything is passed as
	// arguments, where other users of the machine can read it and ARG_MAX bounds it.
	UseStdin bool
	// Timeout is the longest that one run may take; zero means DefaultTimeout.
	Timeout time.Duration
	// Timeouts holds other limits for some of the verbs.
	Timeouts map[string]time.Duration
	// KillAfter is how long the adapter has between SIGTERM and SIGKILL, and how long processes that outlive it may
	// keep its output open; zero means DefaultKillAfter.
	KillAfter time.Duration
	// OutputLimit is the most bytes that the adapter may print on stdout; zero means DefaultOutputLimit.
	OutputLimit int
	// Env is the adapter's whole environment, as NAME=value; nil means the broker's own.
	Env []string
	// Logger gets a line for each run, with the adapter's stderr; nil means none. The context of the call is handed
	// to its handler. What the adapter prints on stdout is logged only when it exits with an error code of its own,
	// as it may hold credentials.
	Logger *slog.Logger
	// Observe is told of each run when it has ended; nil for nobody.
	Observe func(Run)
}

// Client runs one adapter. It is safe for concurrent use; each call is a process of its own.
type Client struct {
	path        string
	useStdin    bool
	timeout     time.Duration
	timeouts    map[string]time.Duration
	killAfter   time.Duration
	outputLimit int
	dir         string
	env         []string
	logger      *slog.Logger
	observe     func(Run)
}

// New checks the options; it doesn't look at the executable, which may be replaced while the broker runs.
func New(options Options) (*Client, error) {
	if err := options.check(); err != nil {
		return nil, fmt.Errorf("service adapter: %w", err)
	}
	path, err := filepath.Abs(options.Path)
	if err != nil {
		return nil, fmt.Errorf("service adapter: finding the absolute path of %q: %w", options.Path, err)
	}
	client := &Client{
		path:        path,
		useStdin:    options.UseStdin,
		timeout:     orDefault(options.Timeout, DefaultTimeout),
		timeouts:    maps.Clone(options.Timeouts),
		killAfter:   orDefault(options.KillAfter, DefaultKillAfter),
		outputLimit: orDefault(options.OutputLimit, DefaultOutputLimit),
		dir:         os.TempDir(),
		env:         withoutTrace(options.Env),
		logger:      options.Logger,
		observe:     options.Observe,
	}
	if options.Env == nil {
		client.env = inheritedEnvironment(client.dir)
	}
	if client.observe == nil {
		client.observe = func(Run) {}
	}
	if client.logger == nil {
		client.logger = slog.New(slog.DiscardHandler)
	}
	return client, nil
}

func (o Options) check() error {
	if o.Path == "" {
		return errors.New("no path given")
	}
	if o.Timeout < 0 || o.KillAfter < 0 || o.OutputLimit < 0 {
		return errors.New("a time or output limit is negative")
	}
	verbs := []string{VerbGenerateManifest, VerbDashboardURL, VerbCreateBinding, VerbDeleteBinding, VerbGeneratePlanSchemas}
	for verb, timeout := range o.Timeouts {
		if !slices.Contains(verbs, verb) {
			return fmt.Errorf("a time limit is given for %q, which is none of %s", verb, strings.Join(verbs, ", "))
		}
		if timeout <= 0 {
			return fmt.Errorf("the time limit of %s is %s; it must be more than zero", verb, timeout)
		}
	}
	return nil
}

func (c *Client) timeoutOf(verb string) time.Duration {
	if timeout, ok := c.timeouts[verb]; ok {
		return timeout
	}
	return c.timeout
}

// inheritedEnvironment is the broker's, except that PWD says where the adapter will be.
func inheritedEnvironment(dir string) []string {
	inherited := slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "PWD=") })
	return withoutTrace(append(inherited, "PWD="+dir))
}

// The trace that a run belongs to (W3C Trace Context), as variables; both are missing if there is none.
const (
	traceparentVariable = "TRACEPARENT="
	tracestateVariable  = "TRACESTATE="
)

// withoutTrace is an environment, with no room to grow, that says nothing of a trace: the one that the broker was started in isn't
// the one that a request belongs to.
func withoutTrace(env []string) []string {
	return slices.Clip(slices.DeleteFunc(slices.Clone(env), func(entry string) bool {
		return strings.HasPrefix(entry, traceparentVariable) || strings.HasPrefix(entry, tracestateVariable)
	}))
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}
