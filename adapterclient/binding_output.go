package adapterclient

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Binding is the output of create-binding.
type Binding struct {
	// Credentials is the adapter's JSON, unread; nil when the adapter gave none.
	Credentials     json.RawMessage `json:"credentials,omitempty"`
	SyslogDrainURL  string          `json:"syslog_drain_url,omitempty"`
	RouteServiceURL string          `json:"route_service_url,omitempty"`
	BackupAgentURL  string          `json:"backup_agent_url,omitempty"`
	// Endpoints and Metadata are an addition to the protocol, worded as OSB 2.17 words them; empty when the adapter gave none.
	Endpoints []Endpoint      `json:"endpoints,omitempty"`
	Metadata  BindingMetadata `json:"metadata,omitzero"`
}

// Endpoint is a host and the ports that an app must be able to reach (OSB 2.17, Endpoint Object).
type Endpoint struct {
	Host     string   `json:"host"`
	Ports    []string `json:"ports"`              // each a port or a range, like 8080 or 8080-8090
	Protocol string   `json:"protocol,omitempty"` // tcp, udp or all; empty means tcp
}

// BindingMetadata is how long a binding is good for (OSB 2.17, Binding Metadata Object). Zero times are not given.
type BindingMetadata struct {
	ExpiresAt   time.Time `json:"expires_at,omitzero"`
	RenewBefore time.Time `json:"renew_before,omitzero"`
}

func parseBinding(output []byte) (Binding, error) {
	type metadata struct {
		ExpiresAt   string `json:"expires_at"`
		RenewBefore string `json:"renew_before"`
	}
	var printed struct {
		Credentials     json.RawMessage `json:"credentials"`
		SyslogDrainURL  string          `json:"syslog_drain_url"`
		RouteServiceURL string          `json:"route_service_url"`
		BackupAgentURL  string          `json:"backup_agent_url"`
		Endpoints       []Endpoint      `json:"endpoints"`
		Metadata        metadata        `json:"metadata"`
	}
	if err := parseOutput(VerbCreateBinding, output, &printed); err != nil {
		return Binding{}, err
	}
	binding := Binding{
		Credentials: printed.Credentials, SyslogDrainURL: printed.SyslogDrainURL, RouteServiceURL: printed.RouteServiceURL,
		BackupAgentURL: printed.BackupAgentURL, Endpoints: printed.Endpoints,
	}
	if bytes.Equal(binding.Credentials, []byte("null")) {
		binding.Credentials = nil
	}
	var err error
	if binding.Metadata.ExpiresAt, err = parseTime("expires_at", printed.Metadata.ExpiresAt); err != nil {
		return Binding{}, err
	}
	if binding.Metadata.RenewBefore, err = parseTime("renew_before", printed.Metadata.RenewBefore); err != nil {
		return Binding{}, err
	}
	return binding, binding.check()
}

func parseTime(key, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil { // whose text quotes the output
		return time.Time{}, notABinding("metadata.%s is no time like 2026-01-31T08:00:00.0Z", key)
	}
	return at.UTC(), nil
}

// check refuses what OSB 2.17 doesn't let a broker pass on.
func (b Binding) check() error {
	if m := b.Metadata; !m.RenewBefore.IsZero() && !m.ExpiresAt.IsZero() && m.RenewBefore.After(m.ExpiresAt) {
		return notABinding("metadata.renew_before is later than metadata.expires_at")
	}
	for i, endpoint := range b.Endpoints {
		switch {
		case endpoint.Host == "":
			return notABinding("endpoints[%d] has no host", i)
		case len(endpoint.Ports) == 0 || slices.Contains(endpoint.Ports, ""):
			return notABinding("endpoints[%d] needs ports, each of them a text", i)
		case !slices.Contains([]string{"", "tcp", "udp", "all"}, endpoint.Protocol):
			return notABinding("endpoints[%d] has a protocol that is none of tcp, udp and all", i)
		}
	}
	return nil
}

func notABinding(format string, args ...any) error {
	return &OutputError{Verb: VerbCreateBinding, What: fmt.Sprintf(format, args...)}
}
