package cftest

import "time"

// Who may log in to every Cloud Controller of this package, with all rights.
const (
	AdminClient       = "admin-client"
	AdminClientSecret = "admin-client-secret"
	AdminUser         = "admin"
	AdminPassword     = "admin-password"
)

// CLIClient is the client, without a secret, for which users log in by password.
const CLIClient = "cf"

// Options say what Cloud Controller to start. The zero value is one that tests like: HTTPS on free loopback ports,
// nothing there yet, and no waiting.
type Options struct {
	// PlainHTTP serves HTTP instead of HTTPS; see CloudController.CACert.
	PlainHTTP bool
	// Latency delays each answer of the API, in real time.
	Latency time.Duration
	// Now is the clock of tokens and timestamps; default time.Now.
	Now func() time.Time

	// TokenLifetime of access tokens, on that clock; default 10 min, as in UAA.
	TokenLifetime time.Duration
	// Clients and Users, by id and name, who may log in besides the admins.
	Clients map[string]Client
	Users   map[string]User

	// JobDelay is how long a job waits until a worker takes it up.
	JobDelay time.Duration
	// PollInterval is how often brokers are asked for the last operation, whatever they say in Retry-After; default
	// 20 ms.
	PollInterval time.Duration
	// BrokerTimeout limits each request to a broker; default 60 s, as in Cloud Controller.
	BrokerTimeout time.Duration
	// BrokerCACert is the PEM certificate of an authority to trust when a broker speaks HTTPS.
	BrokerCACert string

	// OperationDuration is how long operations of simulated brokers take; 0 means that they end at once, synchronously.
	OperationDuration time.Duration
}

// Client may ask for tokens by the client credentials grant.
type Client struct {
	Secret string
	Scopes []string
}

// User may ask for tokens by the password grant.
type User struct {
	Password string
	Scopes   []string
}

const (
	defaultTokenLifetime = 10 * time.Minute
	defaultPollInterval  = 20 * time.Millisecond
	defaultBrokerTimeout = time.Minute
)

// The scopes that mean something to Cloud Controller.
const (
	scopeAdmin         = "cloud_controller.admin"
	scopeAdminReadOnly = "cloud_controller.admin_read_only"
	scopeGlobalAuditor = "cloud_controller.global_auditor"
	scopeRead          = "cloud_controller.read"
	scopeWrite         = "cloud_controller.write"
)

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.TokenLifetime == 0 {
		o.TokenLifetime = defaultTokenLifetime
	}
	if o.PollInterval == 0 {
		o.PollInterval = defaultPollInterval
	}
	if o.BrokerTimeout == 0 {
		o.BrokerTimeout = defaultBrokerTimeout
	}
	return o
}
