package broker

import (
	"time"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/adapterclient"
)

// osbBinding words what the adapter made as OSB 2.17 does.
func osbBinding(made adapterclient.Binding) domain.Binding {
	binding := domain.Binding{
		SyslogDrainURL:  made.SyslogDrainURL,
		RouteServiceURL: made.RouteServiceURL,
		BackupAgentURL:  made.BackupAgentURL,
		Metadata:        domain.BindingMetadata{ExpiresAt: osbTime(made.Metadata.ExpiresAt), RenewBefore: osbTime(made.Metadata.RenewBefore)},
	}
	if made.Credentials != nil { // a nil RawMessage in the interface would be sent as null
		binding.Credentials = made.Credentials
	}
	for _, endpoint := range made.Endpoints {
		binding.Endpoints = append(binding.Endpoints, domain.Endpoint(endpoint))
	}
	return binding
}

// osbTime is yyyy-mm-ddThh:mm:ss.sZ, as OSB 2.17 wants times in a binding's metadata; empty for none.
func osbTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02T15:04:05.000Z")
}
