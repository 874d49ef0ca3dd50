package soak

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/devdirector"
)

const (
	user, password = "platform", "platform-secret"
	serviceID      = "service-guid"
	planID         = "plan-guid"
	// limit is the quota: fewer than the ids that the clients ask for.
	limit = 10
	// hurry is how much faster the Director's time goes. Claims of killed brokers end by its time, after two minutes.
	hurry = 10
)

// fastClock is a Director's time that goes faster than ours.
type fastClock struct{ start time.Time }

func (c fastClock) Now() time.Time { return c.start.Add(hurry * time.Since(c.start)) }

// world is a Director, an adapter and the brokers' address.
type world struct {
	director *devdirector.Director
	bosh     *boshclient.Client
	brokers  []*broker
}

func newWorld(ctx context.Context, t *testing.T, brokers int) *world {
	t.Helper()
	director, err := devdirector.Start(devdirector.Options{
		TLS: true, Workers: 8, MaxTasks: -1, Clock: fastClock{time.Now()}, TaskDuration: time.Second,
		ConfigClaimWindow: 5 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = director.Close() })
	bosh, err := boshclient.New(boshclient.Options{URL: director.URL(), CACert: director.CACert(), Username: "admin", Password: "admin"})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{director: director, bosh: bosh}

	dir := t.TempDir()
	program, err := adaptertest.Build(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	adapter, err := program.Install(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := adapter.Record(false); err != nil { // calls by the thousand
		t.Fatal(err)
	}
	odb := filepath.Join(dir, "odb")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", odb, "github.com/on-demand-broker/odb/cmd/odb")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building odb: %v\n%s", err, output)
	}
	for i := range brokers {
		b := &broker{odb: odb, config: filepath.Join(dir, fmt.Sprintf("broker-%d.yml", i)), port: freePort(t)}
		text := strings.NewReplacer(
			"DIRECTOR_URL", director.URL(), "DIRECTOR_CA", strings.ReplaceAll(strings.TrimSpace(director.CACert()), "\n", "\n    "),
			"ADAPTER_PATH", adapter.Path, "BROKER_PORT", fmt.Sprint(b.port),
		).Replace(brokerYML)
		if err := os.WriteFile(b.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		b.start(ctx, t)
		t.Cleanup(b.kill)
		w.brokers = append(w.brokers, b)
	}
	return w
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// broker is one `odb serve`, which is killed and started again.
type broker struct {
	odb, config string
	port        int

	mu      sync.Mutex
	running *exec.Cmd
	ended   chan struct{}
	log     bytes.Buffer // of all its processes; written by one at a time
}

func (b *broker) url() string { return fmt.Sprintf("http://127.0.0.1:%d", b.port) }

// start starts the process and waits until it answers.
func (b *broker) start(ctx context.Context, t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running = exec.CommandContext(ctx, b.odb, "serve", "--config", b.config)
	b.running.Stdout, b.running.Stderr = &b.log, &b.log
	if err := b.running.Start(); err != nil {
		t.Fatal(err)
	}
	b.ended = make(chan struct{})
	go func(running *exec.Cmd, ended chan struct{}) {
		_ = running.Wait() // it is killed
		close(ended)
	}(b.running, b.ended)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		answer, err := http.Get(b.url() + "/healthz")
		if err == nil {
			_ = answer.Body.Close()
			return
		}
	}
	t.Fatalf("the broker doesn't answer: %s", b.log.String())
}

// linesAbout are what the processes logged of an instance, without the polls and claims that say nothing new.
func (b *broker) linesAbout(instance string) string {
	var lines []string
	for line := range strings.Lines(b.log.String()) {
		about := strings.Contains(line, `"`+instance+`"`) || strings.Contains(line, "panic") || strings.Contains(line, "odb.server.listening")
		if about && !strings.Contains(line, `"odb.claim.refused"`) && !strings.Contains(line, `"odb.last-operation.failed"`) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// kill ends the process in whatever it does.
func (b *broker) kill() {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.running.Process.Kill()
	<-b.ended
}

const brokerYML = `
broker:
  host: 127.0.0.1
  port: BROKER_PORT
  username: platform
  password: platform-secret
  disable_cf_startup_checks: true
  use_stdin: true
  side_by_side: true
bosh:
  url: DIRECTOR_URL
  authentication: {basic: {username: admin, password: admin}}
  root_ca_cert: |
    DIRECTOR_CA
service_adapter:
  path: ADAPTER_PATH
service_deployment:
  releases:
  - {name: redis, version: 1.0.0, jobs: [redis-server, smoke, warm-up, backup]}
  stemcells:
  - {os: ubuntu-jammy, version: "1.999"}
service_catalog:
  id: service-guid
  service_name: redis
  service_description: A cache of your own
  bindable: true
  plan_updatable: true
  global_quotas: {service_instance_limit: 10}
  plans:
  - name: small
    plan_id: plan-guid
    description: one node
    properties: {maxmemory: 100}
    lifecycle_errands: {post_deploy: [{name: smoke}, {name: warm-up}], pre_delete: [{name: backup}]}
    instance_groups:
    - {name: redis, vm_type: small, instances: 1, networks: [default], azs: [z1]}
`
