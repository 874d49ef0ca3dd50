package main

import (
	"errors"
	"net/url"

	"github.com/pivotal-cf/on-demand-services-sdk/serviceadapter"
)

// dashboard tells where an instance's web page is: below the plan's property dashboard_url. The broker makes it the
// redirect URI of the instance's UAA client.
type dashboard struct{}

func (dashboard) DashboardUrl(params serviceadapter.DashboardUrlParams) (serviceadapter.DashboardUrl, error) {
	base, _ := params.Plan.Properties["dashboard_url"].(string)
	if base == "" {
		return serviceadapter.DashboardUrl{}, operatorError(errors.New("the plan has no property dashboard_url"))
	}
	address, err := url.JoinPath(base, url.PathEscape(params.InstanceID))
	if err != nil {
		return serviceadapter.DashboardUrl{}, operatorError(err)
	}
	return serviceadapter.DashboardUrl{DashboardUrl: address}, nil
}
