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

// brokerSetup says which broker to start.
type brokerSetup struct {
	odb, dir, adapter string
	director          *director
	port              int
	edit              func(yaml string) string // changes broker.yml; may be nil
}

func (s brokerSetup) url() string { return "http://127.0.0.1:" + strconv.Itoa(s.port) }

func (s brokerSetup) write() (path string, err error) {
	text := strings.NewReplacer("BROKER_PORT", strconv.Itoa(s.port), "ADAPTER_PATH", s.adapter).Replace(brokerYML) + s.director.section
	if s.edit != nil {
		text = s.edit(text)
	}
	path = filepath.Join(s.dir, "broker.yml")
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// startBroker returns once the broker has answered.
func startBroker(ctx context.Context, s brokerSetup) (*broker, error) {
	path, err := s.write()
	if err != nil {
		return nil, err
	}
	p, err := startProcess("the broker", adapterRanLine, s.odb, "serve", "--config", path)
	if err != nil {
		return nil, err
	}
	b := &broker{process: p, url: s.url()}
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
