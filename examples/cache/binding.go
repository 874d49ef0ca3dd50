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

// binder gives each application a user of its own, named like the binding.
type binder struct{ users users }

func (b binder) CreateBinding(params serviceadapter.CreateBindingParams) (serviceadapter.Binding, error) {
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
	if err := b.users.add(params.Manifest.Name, params.BindingID); err != nil {
		return serviceadapter.Binding{}, operatorError(err)
	}
	login := url.UserPassword(params.BindingID, passwordOf(params.BindingID, properties))
	password, _ := login.Password()
	return serviceadapter.Binding{Credentials: map[string]interface{}{
		"host":     hosts[0],
		"hosts":    hosts,
		"port":     properties.Port,
		"username": login.Username(),
		"password": password,
		"uri":      uri(hosts, properties.Port, login),
	}}, nil
}

// DeleteBinding says so if there is nothing to delete: the platform is content with that, while any other failure is tried again.
func (b binder) DeleteBinding(params serviceadapter.DeleteBindingParams) error {
	err := b.users.remove(params.Manifest.Name, params.BindingID)
	switch {
	case errors.Is(err, errNoSuchUser):
		return serviceadapter.NewBindingNotFoundError(err)
	case err != nil:
		return operatorError(err)
	}
	return nil
}

// uri names all nodes, as clients of replicated stores expect: cache://USER:PASSWORD@HOST:PORT,HOST:PORT
func uri(hosts []string, port int, login *url.Userinfo) string {
	addresses := make([]string, len(hosts))
	for i, host := range hosts {
		addresses[i] = net.JoinHostPort(host, strconv.Itoa(port))
	}
	return "cache://" + login.String() + "@" + strings.Join(addresses, ",")
}
