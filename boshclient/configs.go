package boshclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Config is one version of a named config of the Director.
type Config struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	Name      string `json:"name"`
	Content   string `json:"content"`    // YAML
	Team      string `json:"team"`       // empty if it belongs to none
	CreatedAt string `json:"created_at"` // as the Director writes it, "2026-11-23 09:14:54 UTC"
	Current   bool   `json:"current"`    // the latest of its type and name
}

// configTime is how the Director writes when a config was stored.
const configTime = "2006-01-02 15:04:05 MST"

// Created is when the version was stored; zero if the Director's words for it can't be read.
func (c Config) Created() time.Time {
	at, err := time.Parse(configTime, c.CreatedAt)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// ConfigFilter chooses configs; an empty field means any.
type ConfigFilter struct {
	Type, Name string
	History    bool // all versions, newest first, not only the latest of each
}

// CreateConfig is a new version of a config.
type CreateConfig struct {
	Type, Name, Content string
	// ExpectedLatestID makes the Director refuse the version (ErrConfigChanged) unless this is the latest id; "0" for a new
	// config, nil for no check. It is a check and then an insert, not one step: of requests sent at the same moment more
	// than one may pass, so whoever claims something with it must read the history afterwards (the lowest id wins).
	ExpectedLatestID *string
}

func (f ConfigFilter) query() url.Values {
	query := url.Values{"latest": {"true"}}
	if f.History {
		query.Set("latest", "false")
	}
	if f.Type != "" {
		query.Set("type", f.Type)
	}
	if f.Name != "" {
		query.Set("name", f.Name)
	}
	return query
}

// Configs lists configs.
func (c *Client) Configs(ctx context.Context, filter ConfigFilter) ([]Config, error) {
	var configs []Config
	err := c.read(ctx, "/configs", filter.query(), &configs)
	return configs, err
}

// EachConfig calls see for each config as the list arrives, so that a list of any length takes no more memory than its longest
// config. The list was whole only if there is no error: one that is cut off on its way, when see has had some of it, isn't read
// again.
func (c *Client) EachConfig(ctx context.Context, filter ConfigFilter, see func(Config)) error {
	return c.exchange(ctx, request{
		method: http.MethodGet, path: "/configs", query: filter.query(), safe: true,
		stream: func(body io.Reader) error { return eachConfig(body, see) },
	}, nil, http.StatusOK)
}

func eachConfig(list io.Reader, see func(Config)) error {
	decoder := json.NewDecoder(list)
	switch start, err := decoder.Token(); {
	case err != nil:
		return fmt.Errorf("unreadable answer: %w", err)
	case start != json.Delim('['):
		return errors.New("unreadable answer: it is no list")
	}
	for decoder.More() {
		var config Config
		if err := decoder.Decode(&config); err != nil {
			return fmt.Errorf("unreadable answer: %w", err)
		}
		see(config)
	}
	if _, err := decoder.Token(); err != nil { // a list that was cut off between two configs has no end
		return fmt.Errorf("unreadable answer: %w", err)
	}
	return nil
}

// CreateConfig stores a version and returns it. If the content is that of the latest version, the Director makes no new one
// and returns the latest.
func (c *Client) CreateConfig(ctx context.Context, create CreateConfig) (Config, error) {
	body, err := json.Marshal(struct {
		Type     string  `json:"type"`
		Name     string  `json:"name"`
		Content  string  `json:"content"`
		Expected *string `json:"expected_latest_id,omitempty"`
	}{create.Type, create.Name, create.Content, create.ExpectedLatestID})
	if err != nil {
		return Config{}, fmt.Errorf("config %s/%s: %w", create.Type, create.Name, err)
	}
	r := request{method: http.MethodPost, path: "/configs", contentType: jsonType, body: body}
	a, err := c.do(ctx, r)
	if err != nil {
		return Config{}, err
	}
	switch a.status {
	case http.StatusCreated, http.StatusOK:
		var config Config
		return config, decode(r, a, &config)
	case http.StatusPreconditionFailed:
		return Config{}, configChanged(r, a, create)
	}
	return Config{}, refusal(r, a)
}

func configChanged(r request, a *answer, create CreateConfig) error {
	var body struct {
		LatestID string `json:"latest_id"`
	}
	if err := decode(r, a, &body); err != nil {
		return err
	}
	return &ConfigChanged{Type: create.Type, Name: create.Name, LatestID: body.LatestID, ExpectedID: text(create.ExpectedLatestID)}
}

// DeleteConfig deletes all versions of a config; ErrNotFound if there is none.
func (c *Client) DeleteConfig(ctx context.Context, configType, name string) error {
	return c.exchange(ctx, request{
		method: http.MethodDelete, path: "/configs", query: url.Values{"type": {configType}, "name": {name}},
		plainNotFound: true,
	}, nil, http.StatusNoContent)
}

// DeleteConfigVersion deletes one version of a config, by its id; ErrNotFound if it is gone. The others stay.
func (c *Client) DeleteConfigVersion(ctx context.Context, id string) error {
	segment, err := segment("config", id)
	if err != nil {
		return err
	}
	return c.exchange(ctx, request{method: http.MethodDelete, path: "/configs/" + segment, safe: true}, nil, http.StatusNoContent)
}
