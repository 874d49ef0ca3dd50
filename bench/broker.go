package main

import (
	"context"
	_ "embed"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// brokerYML has the plans of examples/cache, so that its adapter can be measured too.
//
//go:embed broker.yml
var brokerYML string

// The names in broker.yml that the driver uses.
const (
	brokerUser       = "broker"
	brokerPassword   = "broker-password"
	serviceID        = "service-guid"
	planID           = "small-plan-guid"
	deploymentPrefix = "service-instance_"
)

// broker is the process that is measured.
type broker struct {
	*process
	url     string
	firstIn time.Duration // the CPU it had used when it answered for the first time
}

// adapterRanLine is in the line that the broker logs for each run of the adapter that went well.
const adapterRanLine = `adapter.ran"`

// startBroker returns once the broker has answered.
func startBroker(ctx context.Context, odb, dir, adapter string, d *director) (*broker, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	text := strings.NewReplacer("BROKER_PORT", strconv.Itoa(port), "ADAPTER_PATH", adapter).Replace(brokerYML) + d.section
	path := filepath.Join(dir, "broker.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return nil, err
	}
	p, err := startProcess("the broker", adapterRanLine, odb, "serve", "--config", path)
	if err != nil {
		return nil, err
	}
	b := &broker{process: p, url: "http://127.0.0.1:" + strconv.Itoa(port)}
	if err := b.meet(ctx); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return b, nil
}

// meet waits for the first answer, and looks at once what it took.
func (b *broker) meet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	knocking := newPlatform(b.url, 1)
	defer knocking.http.CloseIdleConnections()
	if err := b.await(ctx, "it answered", func() bool { return knocking.catalog(ctx) == nil }); err != nil {
		return err
	}
	used, err := usageOf(b.pid())
	b.firstIn = used.CPU
	return err
}

// freePort is one that nobody listens on now.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
