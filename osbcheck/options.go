package osbcheck

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options say which broker is asked, and what it may be asked for.
type Options struct {
	URL                string // http or https
	Username, Password string
	// Transport decides whom to trust; http.DefaultTransport if nil.
	Transport http.RoundTripper

	// Provision allows a run to make instances and bindings, which it removes. Without it only what reads is checked.
	Provision bool
	// ServiceID, PlanID and OtherPlanID choose from the catalog: the first bindable plan of the first service, and another
	// one of it, if empty.
	ServiceID, PlanID, OtherPlanID string
	// ProvisionParameters, UpdateParameters and BindParameters are JSON objects that the plan takes; nil for none.
	ProvisionParameters, UpdateParameters, BindParameters json.RawMessage
	// OrganizationGUID and SpaceGUID are sent with a request for an instance; made up if empty.
	OrganizationGUID, SpaceGUID string

	// RequestTimeout is for one request, OperationTimeout for one operation; 60 s and 1 h if 0. Operations are asked about
	// every PollInterval, 2 s if 0.
	RequestTimeout, OperationTimeout, PollInterval time.Duration
	// Stop is closed to have a run make no further check; nil if that may not be.
	Stop <-chan struct{}
	// Tell is called with what takes time now; nil for nobody.
	Tell func(text string)
}

// completed fills in what wasn't said. The error says what can't be right, without a secret.
func (o Options) completed() (Options, error) {
	base, err := url.Parse(strings.TrimRight(o.URL, "/"))
	switch {
	case err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https"):
		return o, errors.New("the broker's URL must be like https://broker.example.com")
	case base.User != nil:
		return o, errors.New("the broker's URL must not carry credentials")
	}
	o.URL = base.String()
	for name, parameters := range map[string]json.RawMessage{"provision": o.ProvisionParameters, "update": o.UpdateParameters, "bind": o.BindParameters} {
		var object map[string]json.RawMessage
		if len(parameters) > 0 && json.Unmarshal(parameters, &object) != nil {
			return o, fmt.Errorf("the parameters to %s with must be a JSON object", name)
		}
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Tell == nil {
		o.Tell = func(string) {}
	}
	otherwise(&o.OrganizationGUID, "6a1c1b8e-0a8c-4d5e-9d0e-0db0c4ec0001")
	otherwise(&o.SpaceGUID, "6a1c1b8e-0a8c-4d5e-9d0e-0db0c4ec0002")
	otherwise(&o.RequestTimeout, time.Minute)
	otherwise(&o.OperationTimeout, time.Hour)
	otherwise(&o.PollInterval, 2*time.Second)
	return o, nil
}

func otherwise[T comparable](value *T, assumed T) {
	var none T
	if *value == none {
		*value = assumed
	}
}
