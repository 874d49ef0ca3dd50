package main

import (
	"net/url"

	"github.com/pivotal-cf/on-demand-services-sdk/serviceadapter"
)

// dashboard tells where an instance's web page is: below the plan's property dashboard_url.
type dashboard struct{}

const defaultDashboard = "https://cache.example.com/instances"

func (dashboard) DashboardUrl(params serviceadapter.DashboardUrlParams) (serviceadapter.DashboardUrl, error) {
	base, ok := params.Plan.Properties["dashboard_url"].(string)
	if !ok {
		base = defaultDashboard
	}
	address, err := url.JoinPath(base, url.PathEscape(params.InstanceID))
	if err != nil {
		return serviceadapter.DashboardUrl{}, operatorError(err)
	}
	return serviceadapter.DashboardUrl{DashboardUrl: address}, nil
}
