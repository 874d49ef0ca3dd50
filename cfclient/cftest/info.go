package cftest

// The versions of the Cloud Controller that was recorded.
const (
	versionV2 = "2.195.0"
	versionV3 = "3.130.0"
)

func (c *CloudController) root(*request) response {
	versioned := func(path, version string) map[string]any {
		return map[string]any{"href": c.URL() + path, "meta": map[string]string{"version": version}}
	}
	return ok(map[string]any{"links": map[string]any{
		"self":                link{Href: c.URL()},
		"cloud_controller_v2": versioned("/v2", versionV2),
		"cloud_controller_v3": versioned("/v3", versionV3),
		"network_policy_v0":   link{Href: c.URL() + "/networking/v0/external"},
		"network_policy_v1":   link{Href: c.URL() + "/networking/v1/external"},
		"login":               link{Href: c.UAAURL()},
		"uaa":                 link{Href: c.UAAURL()},
		"credhub":             nil,
		"routing":             nil,
		"logging":             link{Href: "wss://doppler.example.com:443"},
		"log_cache":           link{Href: "https://log-cache.example.com"},
		"log_stream":          link{Href: "https://log-stream.example.com"},
		"app_ssh": map[string]any{"href": "ssh.example.com:2222", "meta": map[string]string{
			"host_key_fingerprint": "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00", "oauth_client": "ssh-proxy",
		}},
	}})
}

func (c *CloudController) info(*request) response {
	return ok(map[string]any{
		"build": "2222", "description": "Cloud Foundry for tests", "name": "vcap", "version": 2,
		"cli_version": map[string]string{"minimum": "6.22.0", "recommended": "latest"},
		"custom":      map[string]string{"arbitrary": "stuff"},
		"links": map[string]link{
			"self": {Href: c.URL() + "/v3/info"}, "support": {Href: "http://support.example.com"},
		},
	})
}

func (c *CloudController) infoV2(*request) response {
	return ok(map[string]any{
		"name": "vcap", "build": "2222", "support": "http://support.example.com", "version": 2,
		"description": "Cloud Foundry for tests", "authorization_endpoint": c.UAAURL(), "token_endpoint": c.UAAURL(),
		"min_cli_version": "6.22.0", "min_recommended_cli_version": "latest", "api_version": versionV2, "osbapi_version": osbVersion,
		"app_ssh_endpoint": "ssh.example.com:2222", "app_ssh_oauth_client": "ssh-proxy",
		"app_ssh_host_key_fingerprint": "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00",
		"doppler_logging_endpoint":     "wss://doppler.example.com:443", "custom": map[string]string{"arbitrary": "stuff"},
	})
}
