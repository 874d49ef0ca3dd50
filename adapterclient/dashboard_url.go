package adapterclient

import "context"

// DashboardURL is the input of dashboard-url.
type DashboardURL struct {
	InstanceID string
	Plan       Plan
	// Manifest is the YAML of the deployment that was just submitted.
	Manifest string
}

// DashboardURL asks the adapter for an instance's dashboard. An adapter without one answers ErrNotImplemented. Errors: as
// of GenerateManifest.
func (c *Client) DashboardURL(ctx context.Context, request DashboardURL) (string, error) {
	invocation, err := request.invocation(ctx, c.useStdin)
	if err != nil {
		return "", err
	}
	output, err := c.run(ctx, invocation)
	if err != nil {
		return "", err
	}
	var answer struct {
		DashboardURL string `json:"dashboard_url"`
	}
	if err := parseOutput(VerbDashboardURL, output, &answer); err != nil {
		return "", err
	}
	return answer.DashboardURL, nil
}

func (r DashboardURL) invocation(ctx context.Context, useStdin bool) (invocation, error) {
	texts := jsonTexts{verb: VerbDashboardURL}
	input := dashboardURLInput{InstanceID: r.InstanceID, Plan: texts.of("plan", r.Plan), Manifest: r.Manifest}
	if texts.err != nil {
		return invocation{}, texts.err
	}
	if useStdin {
		return onStdin(ctx, VerbDashboardURL, stdinInput{DashboardURL: input})
	}
	return asArguments(VerbDashboardURL, input.InstanceID, input.Plan, input.Manifest), nil
}
