package devdirector

type infoBody struct {
	Name            string       `json:"name"`
	UUID            string       `json:"uuid"`
	Version         string       `json:"version"`
	User            *string      `json:"user"`
	CPI             string       `json:"cpi"`
	StemcellOS      string       `json:"stemcell_os"`
	StemcellVersion string       `json:"stemcell_version"`
	Authentication  infoAuth     `json:"user_authentication"`
	Features        infoFeatures `json:"features"`
}

type infoAuth struct {
	Type    string         `json:"type"`
	Options map[string]any `json:"options"`
}

type infoFeature struct {
	Status bool           `json:"status"`
	Extras map[string]any `json:"extras,omitempty"`
}

type infoFeatures struct {
	LocalDNS     infoFeature `json:"local_dns"`
	Snapshots    infoFeature `json:"snapshots"`
	ConfigServer infoFeature `json:"config_server"`
}

// info answers anybody; user is null for credentials that aren't good.
func (d *Director) info(q *request) response {
	body := infoBody{
		Name: d.options.Name, UUID: d.options.UUID, Version: directorVersion, CPI: "dummy-cpi",
		StemcellOS: "-", StemcellVersion: "-",
		Authentication: infoAuth{Type: "basic", Options: map[string]any{}},
		Features: infoFeatures{
			LocalDNS:     infoFeature{Status: true, Extras: map[string]any{"domain_name": "bosh"}},
			ConfigServer: infoFeature{Status: true, Extras: map[string]any{"urls": []string{"https://localhost:28080"}}},
		},
	}
	if q.user != nil {
		body.User = &q.user.name
	}
	if d.uaa != nil {
		body.Authentication = infoAuth{Type: "uaa", Options: map[string]any{"url": d.uaa.url, "urls": []string{d.uaa.url}}}
	}
	answer := okJSON(body)
	answer.outside = true
	return answer
}
