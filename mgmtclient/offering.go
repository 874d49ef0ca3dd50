package mgmtclient

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// Offering is a service offering of the broker's catalog.
type Offering struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Plans []Plan `json:"plans"`
}

// Plan is one of an offering's.
type Plan struct {
	ID              string `json:"id"`
	Name            string `json:"name"`
	MaintenanceInfo struct {
		Version string `json:"version"` // empty if there is none
	} `json:"maintenance_info"`
}

// Catalog asks for the catalog (OSB 2.17). An answer shows that the broker serves.
func (c *Client) Catalog(ctx context.Context) ([]Offering, error) {
	catalog, err := get[struct {
		Services []Offering `json:"services"`
	}](ctx, c, "/v2/catalog")
	return catalog.Services, err
}

// Ready asks whether the broker can do its work (GET /readyz). The error says what keeps it from that.
func (c *Client) Ready(ctx context.Context) error {
	answer, err := c.askOnce(ctx, exchange{method: http.MethodGet, path: "/readyz"})
	var away *Unavailable
	var said struct {
		Director string `json:"director"`
	}
	if errors.As(err, &away) && json.Unmarshal(answer.body, &said) == nil && said.Director != "" {
		away.Cause = errors.New("its Director " + shortened(said.Director))
	}
	return err
}

// Metrics gives the figures of GET /mgmt/metrics, as the broker wrote them. registered is false if the broker has none to give
// because its platform doesn't know it yet (503).
func (c *Client) Metrics(ctx context.Context) (body []byte, registered bool, err error) {
	answer, err := c.askOnce(ctx, exchange{method: http.MethodGet, path: "/mgmt/metrics"})
	var away *Unavailable
	if errors.As(err, &away) && away.Status == http.StatusServiceUnavailable {
		return nil, false, nil
	}
	return answer.body, err == nil, err
}
