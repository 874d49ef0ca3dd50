package broker

import (
	"cmp"
	"context"

	"log/slog"
	"strings"
	"time"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/logs"
)

// Deployments is what the broker asks of the Director about deployments. Work is submitted, never followed.
type Deployments interface {
	Deployment(ctx context.Context, name string) (boshclient.Deployment, error)
	Deploy(ctx context.Context, deploy boshclient.Deploy) (taskID int, err error)
	DeleteDeployment(ctx context.Context, request boshclient.DeleteDeployment) (taskID int, err error)
	Instances(ctx context.Context, deployment string) ([]boshclient.Instance, error)
	RunErrand(ctx context.Context, run boshclient.RunErrand) (taskID int, err error)
	Variables(ctx context.Context, deployment string) ([]boshclient.Variable, error)
	LinkAddress(ctx context.Context, request boshclient.LinkAddress) (string, error)
}

// Maintaining is what the broker asks of the Director for an operator's sake.
type Maintaining interface {
	Recreate(ctx context.Context, request boshclient.Recreate) (taskID int, err error)
	Diff(ctx context.Context, deployment, manifest string) (boshclient.Diff, error)
	Deployments(ctx context.Context) ([]boshclient.DeploymentSummary, error)
	LatestTask(ctx context.Context, deployment string) (latest boshclient.Task, found bool, err error)
	CancelTask(ctx context.Context, id int) error
}

// Tasks is what the broker asks of the Director about tasks.
type Tasks interface {
	Task(ctx context.Context, id int) (boshclient.Task, error)
	TasksInProgress(ctx context.Context, deployment string) ([]boshclient.Task, error)
	TasksByContext(ctx context.Context, deployment, contextID string) ([]boshclient.Task, error)
	TaskEvents(ctx context.Context, id int, offset int64) (events []boshclient.TaskEvent, next int64, err error)
	TaskResult(ctx context.Context, id int) ([]byte, error)
}

// Configs are the Director's named configs, of which an instance may have some of its own.
type Configs interface {
	Configs(ctx context.Context, filter boshclient.ConfigFilter) ([]boshclient.Config, error)
	EachConfig(ctx context.Context, filter boshclient.ConfigFilter, see func(boshclient.Config)) error
	CreateConfig(ctx context.Context, request boshclient.CreateConfig) (boshclient.Config, error)
	DeleteConfig(ctx context.Context, configType, name string) error
	DeleteConfigVersion(ctx context.Context, id string) error
}

// DirectorHealth tells whether the Director answers and knows the broker's credentials.
type DirectorHealth interface {
	Info(ctx context.Context) (boshclient.Info, error)
	LastAnswer() time.Time
}

// Adapter is the service author's executable.
type Adapter interface {
	GenerateManifest(ctx context.Context, request adapterclient.GenerateManifest) (adapterclient.GeneratedManifest, error)
	DashboardURL(ctx context.Context, request adapterclient.DashboardURL) (string, error)
	CreateBinding(ctx context.Context, request adapterclient.BindingRequest) (adapterclient.Binding, error)
	DeleteBinding(ctx context.Context, request adapterclient.BindingRequest) error
}

// Options are what a broker is made of.
type Options struct {
	Deployments Deployments
	Maintaining Maintaining
	Tasks       Tasks
	Configs     Configs
	Health      DirectorHealth
	Adapter     Adapter
	// Events is nil where the Director's log is not to say who asked.
	Events Events
	// UAAClients is nil where there is no UAA to keep clients in.
	UAAClients UAAClients
	// ManifestSecrets is nil without secure manifests, BindingSecrets where the platform has no CredHub.
	ManifestSecrets ManifestSecrets
	BindingSecrets  BindingSecrets
	// BindingNotes is nil where bindings are not kept in the platform's CredHub.
	BindingNotes Notes
	// ParameterNotes is nil where the platform has no CredHub.
	ParameterNotes Notes
	// Platform is nil where there is no Cloud Foundry, and the instances are those that the Director remembers.
	Platform Platform
	// Instances is the operator's own list of instances, which comes before the platform's; nil if there is none.
	Instances Instances

	// Catalog is the offering with its plans, Deployment the releases and stemcells that adapters build from.
	Catalog    config.ServiceCatalog
	Deployment config.ServiceDeployment
	// Schemas are what the plans' parameters are checked against; nil for no check. See GenerateSchemas.
	Schemas Schemas
	// Switches are those of broker.yml that decide what verbs do.
	Switches Switches

	Logger *slog.Logger
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// CarryEvery is how often the broker looks after operations that have more to them than a task; 10 s if 0.
	CarryEvery time.Duration

	// Observe is told how each operation ended that this process began; nil for nobody.
	Observe func(Outcome)
	// Dependencies are those of whom Figures tells besides the Director.
	Dependencies []Dependency
	// LookEvery is how often the broker looks around for Figures at the most; 15 s if 0. CountEvery is the same of counts of
	// the instances; a minute if 0.
	LookEvery, CountEvery time.Duration
}

// Switches are the operator's, named after their keys in broker.yml.
type Switches struct {
	DisableBOSHConfigs         bool
	ExposeOperationalErrors    bool
	SkipCheckForPendingChanges bool
	SupportBackupAgentBinding  bool
	FullMaintenanceInfo        bool
	EnableTelemetry            bool
	SideBySide                 bool // other brokers work on the same instances
}

// Broker serves the verbs of the Open Service Broker API, with one configuration from its beginning to its end. What outlives
// a change of configuration is its memory's.
type Broker struct {
	Options
	*memory
	offering offering
	catalog  []domain.Service
	platform *platformView // nil where there is none
	told     *toldPlans
	census   Census
	quotas   *quotas
	kept     keptBindings
	probe    *probe
	trail    *trail
}

// New returns a broker that is ready to serve. It asks nothing of anybody.
func New(options Options) (*Broker, error) {
	m, err := newMemory()
	if err != nil {
		return nil, err
	}
	b, err := newBroker(options, m)
	if err != nil {
		return nil, err
	}
	b.ContinueAs(b)
	return b, nil
}

// Reconfigured is a broker with other options that works beside b on the same instances: they share locks, admissions, work and
// everything else that is kept in memory, and are stopped together. It asks nothing of anybody.
func (b *Broker) Reconfigured(options Options) (*Broker, error) { return newBroker(options, b.memory) }

func newBroker(options Options, m *memory) (*Broker, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.CarryEvery == 0 {
		options.CarryEvery = defaultCarryEvery
	}
	options.LookEvery, options.CountEvery = cmp.Or(options.LookEvery, defaultLookEvery), cmp.Or(options.CountEvery, defaultCountEvery)
	offering, err := newOffering(options.Catalog, options.Switches.FullMaintenanceInfo)
	if err != nil {
		return nil, err
	}
	b := &Broker{Options: options, memory: m, offering: offering, catalog: buildCatalog(offering, options.Schemas)}
	if options.Platform != nil {
		b.platform = &platformView{Platform: options.Platform, offeringID: offering.ID}
	}
	b.told = newToldPlans(b.listed(), options.Now)
	b.census = directorCensus{b}
	b.quotas = newQuotas(m.ledger, offering, b.census, options.Now)
	if options.Switches.SideBySide {
		b.quotas.claimed = b.claimedPlaces
	}
	b.kept = keepBindings(options, m)
	b.probe = newProbe(options.Health, options.Now)
	b.trail = newTrail()
	return b, nil
}

// about is how every verb starts: the log lines to come carry the instance, and the adapter is told who asks.
func about(ctx context.Context, instanceID string, attrs ...slog.Attr) context.Context {
	ctx = logs.With(ctx, append([]slog.Attr{slog.String("instance_id", instanceID)}, attrs...)...)
	if who := RequestFrom(ctx).Originator; who.Platform != "" {
		ctx = adapterclient.WithOriginatingIdentity(ctx, adapterclient.OriginatingIdentity(who))
	}
	return ctx
}

// DeploymentPrefix and an instance's id make its deployment's name: a contract with every deployment that exists.
const DeploymentPrefix = "service-instance_"

// MaxInstanceIDLength is the longest id that still makes a deployment name the Director can keep (255 characters).
const MaxInstanceIDLength = 255 - len(DeploymentPrefix)

// instanceOf is the instance that a deployment is of.
func instanceOf(deployment string) (instanceID string, ok bool) {
	return strings.CutPrefix(deployment, DeploymentPrefix)
}

func deploymentName(instanceID string) string { return DeploymentPrefix + instanceID }
