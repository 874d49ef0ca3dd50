package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// platform speaks the Open Service Broker API.
type platform struct{ url, user, password string }

type request struct {
	method, path string
	body         any
	want         int // the status
}

type state struct {
	State       string `json:"state"`
	Description string `json:"description"`
}

var client = &http.Client{Timeout: 30 * time.Second}

func (p *platform) call(ctx context.Context, r request, into any) error {
	var body io.Reader
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, p.url+r.path, body)
	if err != nil {
		return err
	}
	req.SetBasicAuth(p.user, p.password)
	req.Header.Set("X-Broker-API-Version", "2.17")
	req.Header.Set("Content-Type", "application/json")
	response, err := client.Do(req)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != r.want {
		return fmt.Errorf("%s %s: expected %d, got %s: %s", r.method, r.path, r.want, response.Status, text)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}

func (p *platform) lastOperation(ctx context.Context, instancePath, operation string) (state, error) {
	var now state
	err := p.call(ctx, request{method: "GET", path: instancePath + "/last_operation?operation=" + url.QueryEscape(operation), want: 200}, &now)
	return now, err
}
