package config

import (
	"net"
	"strings"
	"time"
)

// Broker is how the broker itself is reached and what it is allowed to do.
type Broker struct {
	// Host is the address to listen on, without port; empty means all interfaces.
	Host     string `yaml:"host"`
	Port     int    `yaml:"port"`
	Username string `yaml:"username"`
	Password Secret `yaml:"password"`
	// Credentials are further pairs that are let in, as long as platforms change from one pair to another.
	Credentials []BasicAuthentication `yaml:"credentials"`
	// DisableSSLCertVerification is about Cloud Foundry's API and UAA only, never about the Director or CredHub.
	DisableSSLCertVerification bool `yaml:"disable_ssl_cert_verification"`
	// DisableCFStartupChecks runs the broker without Cloud Foundry: the section cf is not even looked at.
	DisableCFStartupChecks bool `yaml:"disable_cf_startup_checks"`
	DisableBOSHConfigs     bool `yaml:"disable_bosh_configs"`
	// DisableBOSHEvents keeps out of the Director's events who asked the platform for what was done.
	DisableBOSHEvents bool `yaml:"disable_bosh_events"`
	StartupBanner     bool `yaml:"startup_banner"`
	// ShutdownTimeout is how long requests may take to end after SIGTERM; 0 cuts them at once.
	ShutdownTimeout         time.Duration `yaml:"shutdown_timeout_in_seconds" unit:"seconds"`
	ExposeOperationalErrors bool          `yaml:"expose_operational_errors"`
	EnablePlanSchemas       bool          `yaml:"enable_plan_schemas"`
	// UseStdin gives the adapter its input as JSON on standard input rather than as arguments.
	UseStdin                   bool `yaml:"use_stdin"`
	EnableSecureManifests      bool `yaml:"enable_secure_manifests"`
	EnableTelemetry            bool `yaml:"enable_telemetry"`
	SupportBackupAgentBinding  bool `yaml:"support_backup_agent_binding"`
	SkipCheckForPendingChanges bool `yaml:"skip_check_for_pending_changes"`
	// FullMaintenanceInfo keeps public and the digest of private in the catalog, and compares them, as the existing broker
	// does. OSB knows neither, and Cloud Controller refuses a catalog with them.
	FullMaintenanceInfo bool `yaml:"full_maintenance_info"`
	// SideBySide lets several brokers work on the same instances: each claims in the Director what it is about to change.
	SideBySide bool `yaml:"side_by_side"`
	TLS        TLS  `yaml:"tls"`
}

// TLS names the PEM files to serve HTTPS with: both, or none for plain HTTP.
type TLS struct {
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
}

// Enabled tells whether HTTPS is to be served.
func (t TLS) Enabled() bool { return t.CertFile != "" && t.KeyFile != "" }

// check refuses half a pair: who gave it wants HTTPS, and the platform's password must not cross the network in the clear
// instead. The existing broker serves plain HTTP then, but its BOSH template refuses, so that no deployment has such a file.
func (t TLS) check(at section) {
	const half = "is missing while the other half of the pair is given"
	switch {
	case t.CertFile != "" && t.KeyFile == "":
		at.key("key_file").refuse(half, "give the path of the certificate's private key, or neither of the two to serve plain HTTP")
	case t.CertFile == "" && t.KeyFile != "":
		at.key("cert_file").refuse(half, "give the path of the certificate, or neither of the two to serve plain HTTP")
	}
}

func (b Broker) check(at section) {
	switch port := at.key("port"); {
	case b.Port == 0:
		port.need(Error, false, "give the TCP port to listen on (BOSH deployments use 8080)")
	case b.Port < 0 || b.Port > 65535:
		port.refuse("is not a TCP port", "give one from 1 to 65535")
	}
	if strings.ContainsAny(b.Host, "/@ ") || strings.Contains(b.Host, ":") && net.ParseIP(b.Host) == nil {
		at.key("host").refuse("is not a host name or an IP address", "give the address alone, the port belongs to broker.port")
	}
	at.key("username").need(Error, b.Username != "", "give the user that the platform authenticates as")
	at.key("password").need(Error, !b.Password.Empty(), "give the password that the platform authenticates with")
	b.checkCredentials(at.key("credentials"))
	if b.ShutdownTimeout < 0 {
		at.key("shutdown_timeout_in_seconds").warn("is negative, which cuts requests off at once", "give the seconds that they may take to end")
	}
	if stdin := at.key("use_stdin"); !b.UseStdin && !stdin.broken() {
		stdin.notice("is false: manifests, parameters and secrets are passed to the adapter as arguments, which every user of the machine can read",
			"set it to true if the adapter can read standard input")
	}
	if b.SideBySide && b.DisableBOSHConfigs {
		at.key("side_by_side").refuse("needs BOSH configs to claim instances with, and disable_bosh_configs is true", "remove one of the two")
	}
	b.TLS.check(at.key("tls"))
}

// checkCredentials refuses what would let nobody in, or anybody.
func (b Broker) checkCredentials(at section) {
	for i, pair := range b.Credentials {
		place := at.item(i)
		if place.isNull() {
			continue
		}
		pair.check(place, Error)
		if strings.Contains(pair.Username, ":") {
			place.key("username").refuse("has a colon, which ends a user's name in HTTP", "use a name without")
		}
	}
}

// settle drops the pairs that a template rendered as null.
func (b *Broker) settle(at section) {
	var given []BasicAuthentication
	for i, pair := range b.Credentials {
		if !at.key("credentials").item(i).isNull() {
			given = append(given, pair)
		}
	}
	b.Credentials = given
}
