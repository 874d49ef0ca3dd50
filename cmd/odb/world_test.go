package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/devdirector"
	"github.com/on-demand-broker/odb/logs"
)

// The catalog of the stories.
const (
	serviceID = "service-guid"
	smallPlan = "small-plan-guid"
	largePlan = "large-plan-guid"
)

// world is what a story plays in: a Director, an adapter, a broker, and a platform that talks to it.
type world struct {
	director *devdirector.Director
	adapter  *adaptertest.Double
	platform *platform
	log      *logBuffer
	dir      string
}

// setting is what a story changes about its world before it begins.
type setting struct {
	director func(*devdirector.Options)
	config   func(yaml string) string
	// carryEvery is how often the broker looks after operations itself.
	carryEvery time.Duration
}

// newWorld makes a world with a broker in this process. It ends with the spec.
func newWorld(changes ...setting) *world {
	GinkgoHelper()
	w := newWorldWithoutBroker(changes...)
	w.serve(changes...)
	return w
}

func newWorldWithoutBroker(changes ...setting) *world {
	GinkgoHelper()
	w := &world{dir: GinkgoT().TempDir(), log: &logBuffer{}}
	w.startDirector(changes...)

	// The double is linked to the compiled program, which wants one file system for both.
	home, err := os.MkdirTemp("", "odb-double-*")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, home)
	w.adapter, err = doubleProgram.Install(home)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(w.keepsToTheProtocol)
	return w
}

func (w *world) startDirector(changes ...setting) {
	GinkgoHelper()
	options := devdirector.Options{TLS: true}
	for _, change := range changes {
		if change.director != nil {
			change.director(&options)
		}
	}
	var err error
	w.director, err = devdirector.Start(options)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(w.director.Close)
}

// serve runs the broker as `odb serve` does, in this process and on a free port.
func (w *world) serve(changes ...setting) {
	GinkgoHelper()
	c, problems, err := config.Load(w.writeConfig(changes...))
	Expect(err).NotTo(HaveOccurred())
	c.Broker.Port = 0
	for _, problem := range problems {
		Expect(problem.Severity).To(Equal(config.Notice), "the stories' own configuration is a clean one, and not: %s", problem)
	}
	often := rhythm{carry: time.Hour, look: time.Millisecond, count: time.Millisecond} // stories poll, unless they are about not polling
	for _, change := range changes {
		if change.carryEvery > 0 {
			often.carry = change.carryEvery
		}
	}
	s, err := newDaemon(context.Background(), c, logs.New(w.log, "odb", slog.LevelDebug), often)
	Expect(err).NotTo(HaveOccurred())
	Expect(s.Listen()).To(Succeed())
	w.platform = newPlatform(s.URL())

	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	DeferCleanup(func() {
		w.platform.client.CloseIdleConnections() // one that was never used would keep the server for five seconds
		stop()
		Eventually(ended).Should(Receive(BeNil()))
	})
}

func (w *world) writeConfig(changes ...setting) string {
	GinkgoHelper()
	text := strings.NewReplacer(
		"DIRECTOR_URL", w.director.URL(),
		"DIRECTOR_CA", strings.ReplaceAll(strings.TrimSpace(w.director.CACert()), "\n", "\n    "),
		"ADAPTER_PATH", w.adapter.Path,
		"BROKER_PORT", strconv.Itoa(freePort()),
	).Replace(brokerYML)
	for _, change := range changes {
		if change.config != nil {
			text = change.config(text)
		}
	}
	path := filepath.Join(w.dir, "broker.yml")
	Expect(os.WriteFile(path, []byte(text), 0o600)).To(Succeed())
	return path
}

// freePort is one that nobody listens on now, and that nobody is given meanwhile: systems take the ports that they give away from
// higher ones, and each of the suite's processes has two thousand of its own.
func freePort() int {
	GinkgoHelper()
	const first, each = 10_000, 2_000
	var port int
	Eventually(func() error {
		port = first + each*(GinkgoParallelProcess()%10) + rand.IntN(each)
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return err
		}
		return listener.Close()
	}).Should(Succeed())
	return port
}

// with replaces a part of the configuration that must be there.
func with(old, replacement string) setting {
	return setting{config: func(yaml string) string {
		GinkgoHelper()
		Expect(yaml).To(ContainSubstring(old))
		return strings.Replace(yaml, old, replacement, 1)
	}}
}

// tasksTake makes the Director's tasks last.
func tasksTake(d time.Duration) setting {
	return setting{director: func(o *devdirector.Options) { o.TaskDuration = d }}
}

// calls are the adapter's verbs as they were called so far.
func (w *world) calls() []string {
	GinkgoHelper()
	recorded, err := w.adapter.Calls()
	Expect(err).NotTo(HaveOccurred())
	verbs := []string{}
	for _, call := range recorded {
		verbs = append(verbs, call.Verb)
	}
	return verbs
}

// logBuffer is a log that can be read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

var brokerYML = fmt.Sprintf(`
broker:
  host: 127.0.0.1
  port: BROKER_PORT
  username: %s
  password: %s
  disable_cf_startup_checks: true
  shutdown_timeout_in_seconds: 60
  use_stdin: true
bosh:
  url: DIRECTOR_URL
  authentication: {basic: {username: admin, password: admin}}
  root_ca_cert: |
    DIRECTOR_CA
service_adapter:
  path: ADAPTER_PATH
service_deployment:
  releases:
  - {name: redis, version: 1.0.0, jobs: [redis-server]}
  stemcells:
  - {os: ubuntu-jammy, version: "1.999"}
service_catalog:
  id: %s
  service_name: redis
  service_description: A cache of your own
  bindable: true
  plan_updatable: true
  tags: [cache]
  metadata: {display_name: Redis, shareable: true}
  global_properties: {persistence: true}
  plans:
  - name: small
    plan_id: %s
    description: one node
    metadata: {bullets: [one node]}
    properties: {maxmemory: 100}
    instance_groups:
    - {name: redis, vm_type: small, instances: 1, networks: [default], azs: [z1]}
  - name: large
    plan_id: %s
    description: three nodes
    properties: {maxmemory: 900}
    instance_groups:
    - {name: redis, vm_type: large, instances: 3, networks: [default], azs: [z1]}
`, platformUser, platformPassword, serviceID, smallPlan, largePlan)
