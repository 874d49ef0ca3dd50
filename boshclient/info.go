package boshclient

import (
	"context"
	"net/http"
)

// How a Director authenticates its callers.
const (
	AuthenticationBasic = "basic"
	AuthenticationUAA   = "uaa"
)

// Info is what GET /info tells.
type Info struct {
	Name, UUID     string
	Version        string // e.g. "282.1.17 (e374eb2b)"
	User           string // who the Director takes us for; empty if it does not accept the credentials
	Authentication string // AuthenticationBasic or AuthenticationUAA
	UAAURL         string // only with AuthenticationUAA
}

// Info asks the Director who it is and who we are to it. The Director answers that to anybody, so wrong credentials show
// as an empty User. If the UAA refuses the client, or the Director has none, the error is ErrUnauthorized.
func (c *Client) Info(ctx context.Context) (Info, error) {
	info, err := c.info(ctx, false)
	if err != nil || info.User != "" || c.tokens == nil {
		return info, err
	}
	// The token may have been revoked, and this is the one request that does not say so with a 401.
	used, err := c.tokens.header(ctx, "")
	if err != nil {
		return info, err
	}
	if _, err := c.tokens.header(ctx, used); err != nil {
		return info, err
	}
	return c.info(ctx, false)
}

func (c *Client) info(ctx context.Context, anonymous bool) (Info, error) {
	var body struct {
		Name               string  `json:"name"`
		UUID               string  `json:"uuid"`
		Version            string  `json:"version"`
		User               *string `json:"user"`
		UserAuthentication struct {
			Type    string `json:"type"`
			Options struct {
				URL  string   `json:"url"`
				URLs []string `json:"urls"`
			} `json:"options"`
		} `json:"user_authentication"`
	}
	r := request{method: http.MethodGet, path: "/info", safe: true, anonymous: anonymous}
	if err := c.exchange(ctx, r, &body, http.StatusOK); err != nil {
		return Info{}, err
	}
	options := body.UserAuthentication.Options
	if options.URL == "" && len(options.URLs) > 0 {
		options.URL = options.URLs[0]
	}
	return Info{
		Name: body.Name, UUID: body.UUID, Version: body.Version, User: text(body.User),
		Authentication: body.UserAuthentication.Type, UAAURL: options.URL,
	}, nil
}

// text is a nullable JSON string, null read as empty.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
