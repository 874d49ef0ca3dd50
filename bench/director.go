package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"gopkg.in/yaml.v3"
)

// director is a development Director as a process of its own.
type director struct {
	*process
	url     string
	section string // the bosh section of a broker.yml
	http    *http.Client
	dials   atomic.Int64 // connections of the driver's own
}

// traffic is what a Director was asked so far.
type traffic struct{ Requests, Tasks, Connections int }

const startTime = 20 * time.Second

// startDirector starts one whose tasks take no time. more are arguments of odb dev.
func startDirector(ctx context.Context, odb string, more ...string) (*director, error) {
	arguments := append([]string{"dev", "--control", "--director-port", "0", "--task-duration", "0s"}, more...)
	p, err := startProcess("the Director", "", odb, arguments...)
	if err != nil {
		return nil, err
	}
	d := &director{process: p}
	if err := d.meet(ctx); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return d, nil
}

// meet reads from what the Director prints how it is reached.
func (d *director) meet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	var printed string
	err := d.await(ctx, "it was ready", func() bool {
		printed = d.output.text()
		return strings.Contains(printed, "-----END CERTIFICATE-----\n")
	})
	if err != nil {
		return err
	}
	_, section, _ := strings.Cut(printed, "\nbosh:\n")
	d.section = "bosh:\n" + section
	var said struct {
		BOSH struct {
			URL string `yaml:"url"`
			CA  string `yaml:"root_ca_cert"`
		} `yaml:"bosh"`
	}
	if err := yaml.Unmarshal([]byte(d.section), &said); err != nil {
		return fmt.Errorf("the Director's bosh section: %w", err)
	}
	authorities := x509.NewCertPool()
	if said.BOSH.URL == "" || !authorities.AppendCertsFromPEM([]byte(said.BOSH.CA)) {
		return fmt.Errorf("the Director's bosh section has no address or no certificate: %s", d.section)
	}
	d.url = said.BOSH.URL
	d.http = &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12},
		DialContext:     d.dial,
	}}
	return nil
}

// dial counts the driver's connections, so that they can be told from the broker's.
func (d *director) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d.dials.Add(1)
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// seed makes finished deployments out of nothing.
func (d *director) seed(ctx context.Context, count int) error {
	return d.control(ctx, http.MethodPost, "deployments", map[string]any{"count": count}, nil)
}

// setLatency delays each further answer.
func (d *director) setLatency(ctx context.Context, latency time.Duration) error {
	return d.control(ctx, http.MethodPost, "knobs", map[string]any{"latency": latency.String()}, nil)
}

// setTaskDuration makes each further task last.
func (d *director) setTaskDuration(ctx context.Context, duration time.Duration) error {
	return d.control(ctx, http.MethodPost, "knobs", map[string]any{"task_duration": duration.String()}, nil)
}

// prolong makes the next task of a deployment last.
func (d *director) prolong(ctx context.Context, deployment string, duration time.Duration) error {
	return d.control(ctx, http.MethodPost, "outcomes", map[string]any{"deployment": deployment, "duration": duration.String()}, nil)
}

// traffic leaves out the driver's own connections; its requests don't count as it is.
func (d *director) traffic(ctx context.Context) (traffic, error) {
	var stats struct {
		Requests    int `json:"total_requests"`
		Tasks       int `json:"total_tasks"`
		Connections int `json:"connections"`
	}
	err := d.control(ctx, http.MethodGet, "stats", nil, &stats)
	return traffic{stats.Requests, stats.Tasks, stats.Connections - int(d.dials.Load())}, err
}

func (d *director) control(ctx context.Context, method, what string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, d.url+"/_dev/"+what, bytes.NewReader(text))
	if err != nil {
		return err
	}
	response, err := d.http.Do(request)
	if err != nil {
		return fmt.Errorf("steering the Director: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("steering the Director: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("steering the Director: %s %s: %s: %s", method, what, response.Status, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}
