package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"github.com/pivotal-cf/on-demand-services-sdk/serviceadapter"
)

// dnsName is the name that the plan's binding_with_dns gives to the address of the server's link.
const dnsName = "cache"

// binder gives applications their credentials: nothing is made for a binding, so that there is nothing to delete.
type binder struct{}

func (binder) CreateBinding(params serviceadapter.CreateBindingParams) (serviceadapter.Binding, error) {
	if len(params.RequestParams.ArbitraryParams()) > 0 {
		return serviceadapter.Binding{}, errors.New("bindings of this service take no parameters")
	}
	properties, err := readProperties(&params.Manifest)
	if err != nil {
		return serviceadapter.Binding{}, operatorError(err)
	}
	// The broker resolves what the manifest refers to, and leaves out what it can't.
	password, resolved := params.Secrets[properties.Password.Reference]
	if !resolved {
		return serviceadapter.Binding{}, operatorError(fmt.Errorf("secret %s is not resolved: is broker.enable_secure_manifests true?", properties.Password.Name))
	}
	host := params.DNSAddresses[dnsName]
	if host == "" {
		return serviceadapter.Binding{}, operatorError(fmt.Errorf("the plan's binding_with_dns has no %q", dnsName))
	}
	address := url.URL{Scheme: "caches", User: url.UserPassword("", password), Host: net.JoinHostPort(host, strconv.Itoa(properties.Port))}
	return serviceadapter.Binding{Credentials: map[string]interface{}{
		"host":     host,
		"port":     properties.Port,
		"password": password,
		"uri":      address.String(),
	}}, nil
}

func (binder) DeleteBinding(serviceadapter.DeleteBindingParams) error { return nil }
