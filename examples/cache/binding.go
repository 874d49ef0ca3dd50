package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/pivotal-cf/on-demand-services-sdk/serviceadapter"
)

// binder gives applications their credentials. They all are in the manifest, so that there is nothing to delete.
type binder struct{}

func (binder) CreateBinding(params serviceadapter.CreateBindingParams) (serviceadapter.Binding, error) {
	if len(params.RequestParams.ArbitraryParams()) > 0 {
		return serviceadapter.Binding{}, errors.New("bindings of this service take no parameters")
	}
	properties, err := readProperties(&params.Manifest)
	if err != nil {
		return serviceadapter.Binding{}, operatorError(err)
	}
	hosts := slices.Sorted(slices.Values(params.DeploymentTopology[instanceGroup]))
	if len(hosts) == 0 {
		return serviceadapter.Binding{}, operatorError(fmt.Errorf("instance group %q has no addresses", instanceGroup))
	}
	return serviceadapter.Binding{Credentials: map[string]interface{}{
		"host":     hosts[0],
		"hosts":    hosts,
		"port":     properties.Port,
		"password": properties.Password,
		"uri":      uri(hosts, properties),
	}}, nil
}

func (binder) DeleteBinding(serviceadapter.DeleteBindingParams) error { return nil }

// uri names all nodes, as clients of replicated stores expect: cache://:PASSWORD@HOST:PORT,HOST:PORT
func uri(hosts []string, properties *cacheProperties) string {
	addresses := make([]string, len(hosts))
	for i, host := range hosts {
		addresses[i] = net.JoinHostPort(host, strconv.Itoa(properties.Port))
	}
	return "cache://" + url.UserPassword("", properties.Password).String() + "@" + strings.Join(addresses, ",")
}
