package devdirector

import (
	"fmt"
	"net/http"
	"time"
)

// Options say what Director to start. The zero value is one that tests like: plain HTTP on a free loopback port, user
// admin with password admin, tasks that take no time, every release, stemcell and VM type known.
type Options struct {
	// Address to listen on; default 127.0.0.1:0, a free port.
	Address string
	// TLS serves HTTPS with a certificate made at the start (kept in StateDir, if there is one); see Director.CACert.
	TLS bool
	// Name and UUID of the Director; defaults "dev-director" and a fixed UUID.
	Name, UUID string

	// Users are who may log in by basic auth, by name. Nil, without UAA: admin, password admin, scope bosh.admin.
	Users map[string]User
	// UAA, if set, makes the Director accept tokens only, and starts the UAA that issues them.
	UAA *UAAOptions

	// RedirectStatus of an answer that made a task: 303 (default; current Directors) or 302 (before v282.1.6). The
	// answer to a GET is always 302.
	RedirectStatus int

	// Workers is how many tasks run at the same time; default 3.
	Workers int
	// TaskDuration is how long a task takes from its lock to its end; 0 means that it has ended when its submission is
	// answered. TaskDurations overrides it by kind.
	TaskDuration  time.Duration
	TaskDurations map[Kind]time.Duration
	// QueueDelay is how long a task stays queued although a worker is free; a real Director takes about a second.
	QueueDelay time.Duration
	// MaxTasks is how many ended tasks of a kind are remembered; default 2000 as in the Director. Negative: all.
	MaxTasks int
	// Latency delays each answer, in real time.
	Latency time.Duration
	// ConfigClaimWindow is the (real) time between the check of expected_latest_id and the insert. A real Director has
	// such a window, so two simultaneous claims of one config can both be answered 201; 0 makes it one step.
	ConfigClaimWindow time.Duration
	// Clock defaults to the system's.
	Clock Clock

	// StateDir, if set, is the folder that the Director keeps its state in; it is made if it doesn't exist.
	StateDir string

	// CloudConfig is the YAML of the cloud config "default". Deployments are checked against the cloud configs (VM
	// types, disk types, VM extensions, networks, AZs) only if it is set.
	CloudConfig string
	// Releases and Stemcells that are uploaded. An empty list means that any is there.
	Releases  []Release
	Stemcells []Stemcell
	// DynamicNetworks names networks whose addresses the Director doesn't know: instances have no IPs in the plain
	// lists, only in format=full. Networks of type dynamic in the cloud config are such, too.
	DynamicNetworks []string
	// Errands say what errands do, by name of the errand; one that isn't named here prints nothing and exits 0.
	Errands map[string]Errand

	// Control serves /_dev/stats, /_dev/deployments, /_dev/faults, /_dev/outcomes and /_dev/knobs, without
	// authentication, for tools that run the Director as a process of its own.
	Control bool
}

// User is somebody who may log in by basic auth.
type User struct {
	Password string
	// Scopes as in UAA: bosh.admin, bosh.read, bosh.teams.TEAM.admin, ...
	Scopes []string
}

// Release is a release that is uploaded to the Director.
type Release struct {
	Name, Version string
	// Jobs are the release's jobs; ErrandJobs those of them that can run as errands.
	Jobs, ErrandJobs []string
	// Packages are compiled when the release first meets a stemcell; default one of the release's name.
	Packages []string
	// Consumes are the links that jobs ask for, by job: link name → type.
	Consumes map[string]map[string]string
}

// Stemcell is a stemcell that is uploaded to the Director.
type Stemcell struct {
	Name, OS, Version string
}

// Errand is what an errand does when it runs.
type Errand struct {
	ExitCode int
	Stdout   string
	Stderr   string
	// Duration of the run itself; 0: a part of the task's duration, as the other steps.
	Duration time.Duration
}

const (
	defaultUUID      = "bc4ec16f-b2a9-477d-b22f-89370da4d5d8"
	defaultMaxTasks  = 2000
	boshVersion      = "282.1.17"
	directorVersion  = boshVersion + " (e374eb2b)"
	lockWait         = 10 * time.Second
	lockExpiry       = 240 * time.Second
	taskTimeout      = 180 * time.Second // after which a task without a worker is given up
	contextIDMaximum = 64
	bodyMaximum      = 64 << 20
)

func (o *Options) setDefaults() error {
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	if o.Name == "" {
		o.Name = "dev-director"
	}
	if o.UUID == "" {
		o.UUID = defaultUUID
	}
	if o.Users == nil && o.UAA == nil {
		o.Users = map[string]User{"admin": {Password: "admin", Scopes: []string{"bosh.admin"}}}
	}
	switch o.RedirectStatus {
	case 0:
		o.RedirectStatus = http.StatusSeeOther
	case http.StatusFound, http.StatusSeeOther:
	default:
		return fmt.Errorf("redirect status %d: a Director answers 302 or 303", o.RedirectStatus)
	}
	if o.Workers == 0 {
		o.Workers = 3
	}
	if o.Workers < 0 {
		return fmt.Errorf("%d workers: at least one is needed", o.Workers)
	}
	if _, err := parseCloud(o.CloudConfig); err != nil {
		return fmt.Errorf("cloud config: %w", err)
	}
	if o.MaxTasks == 0 {
		o.MaxTasks = defaultMaxTasks
	}
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	return nil
}
