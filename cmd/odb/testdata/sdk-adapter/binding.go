package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/pivotal-cf/on-demand-services-sdk/bosh"
	"github.com/pivotal-cf/on-demand-services-sdk/serviceadapter"
)

// binder lets the service's agent make the credentials, a user for each binding.
type binder struct{}

func (binder) CreateBinding(params serviceadapter.CreateBindingParams) (serviceadapter.Binding, error) {
	app := params.RequestParams.BindResource().AppGuid
	if app == "" {
		return serviceadapter.Binding{}, serviceadapter.NewAppGuidNotProvidedError(errors.New("users are named after apps"))
	}
	password, status, err := ask(params.Manifest, http.MethodPut, params.BindingID, params.DeploymentTopology["redis"])
	switch {
	case err != nil:
		return serviceadapter.Binding{}, err
	case status == http.StatusConflict:
		return serviceadapter.Binding{}, serviceadapter.NewBindingAlreadyExistsError(errors.New(params.BindingID))
	}
	return serviceadapter.Binding{Credentials: map[string]interface{}{
		"username": params.BindingID,
		"password": password,
		"app":      app,
		"platform": params.RequestParams.Platform(),
		"space":    params.RequestParams.ArbitraryContext()["space_name"],
		"role":     params.RequestParams.ArbitraryParams()["role"],
	}}, nil
}

func (binder) DeleteBinding(params serviceadapter.DeleteBindingParams) error {
	_, status, err := ask(params.Manifest, http.MethodDelete, params.BindingID, params.DeploymentTopology["redis"])
	if err == nil && status == http.StatusNotFound {
		return serviceadapter.NewBindingNotFoundError(errors.New(params.BindingID))
	}
	return err
}

// ask asks the agent for something about a user, and tells it which addresses it was found by.
func ask(manifest bosh.BoshManifest, method, user string, addresses []string) (answer string, status int, err error) {
	body, err := json.Marshal(addresses)
	if err != nil {
		return "", 0, err
	}
	agent := fmt.Sprint(manifest.InstanceGroups[0].Jobs[0].Properties[agentProperty])
	request, err := http.NewRequest(method, agent+"/users/"+user, bytes.NewReader(body))
	if err != nil {
		return "", 0, err
	}
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return "", 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), response.StatusCode, err
}
