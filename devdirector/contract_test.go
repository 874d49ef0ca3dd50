package devdirector_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/on-demand-broker/odb/devdirector"
)

// leftOut are the exchanges that are not replayed.
var leftOut = map[string]string{
	"482-dead-vms-result":   "instances have no agents here, so none that doesn't answer",
	"511-delete-task-early": "seen between a worker's taking a task and its writing down when",
	"557-resource":          "there are no blobs: logs are not packed",
}

// shapeOnly are the exchanges of which only the shape of the body is compared, not the values.
var shapeOnly = map[string]string{
	"023-task-output-debug":       debugText,
	"024-task-output-notype":      debugText,
	"025-task-output-cpi":         debugText,
	"028-task-output-debug-range": debugText,
	"235-queued-output-debug":     debugText,
	"120-bad-yaml":                rubyText,
	"313-config-badyaml":          rubyText,
	"394-diff-bad":                rubyText,
	"213-overlap-all":             "which of the waiting tasks is next is up to chance in the Director, and a fixed order here",
	"340-events-deployment":       "the recording was cut, and a Director records VMs and disks besides",
	"344-event-byid":              "the name of a worker",
	"346-events-beforeid":         "the name of a worker",
	"399-stemcells":               "deployments are listed by name, not by when they took the stemcell",
	"489-dead-deploy-fix-event":   "a VM that is made anew isn't drained first; here there are no dead VMs",
}

const (
	debugText = "debug output is for people"
	rubyText  = "the words of Ruby's YAML parser"
)

// The recordings were made at four doors of one Director.
const (
	mainPort  = "25555" // nginx with HTTP/1.0 to the upstream: 302
	uaaPort   = "25565" // a Director in UAA mode
	pumaPort  = "25556" // the Director itself, without nginx, plain HTTP: 303
	nginxPort = "25575" // nginx with HTTP/1.1 to the upstream: 303
)

// contractOptions are those of the Director that was recorded.
func contractOptions(cloudConfig string) devdirector.Options {
	return devdirector.Options{
		TLS: true, Name: "real-director", RedirectStatus: http.StatusFound, Workers: 2,
		TaskDuration: time.Second, TaskDurations: map[devdirector.Kind]time.Duration{
			devdirector.KindVMs: 0, devdirector.KindSSH: 0, devdirector.KindLogs: 0,
		},
		QueueDelay: 300 * time.Millisecond,
		Users: map[string]devdirector.User{
			"admin":   {Password: "admin", Scopes: []string{"bosh.admin"}},
			"reader":  {Password: "reader", Scopes: []string{"bosh.read"}},
			"team":    {Password: "team", Scopes: []string{"bosh.teams.svc.admin"}},
			"noscope": {Password: "noscope"},
		},
		CloudConfig: cloudConfig,
		Releases: []devdirector.Release{{
			Name: "tinysvc", Version: "1", Jobs: []string{"server", "slow-errand", "smoke"},
			ErrandJobs: []string{"slow-errand", "smoke"}, Packages: []string{"tool"},
			Consumes: map[string]map[string]string{"server": {"peer": "address"}},
		}},
		Stemcells: []devdirector.Stemcell{{Name: "ubuntu-stemcell", OS: "toronto-os", Version: "1"}},
	}
}

// replayed is one Director with what has been learnt of it so far.
type replayed struct {
	director *devdirector.Director
	client   *http.Client
	clock    *devdirector.ManualClock
	ids      *ids
	tokens   map[string]string // by recorded exchange
}

func startReplayed(t *testing.T, o devdirector.Options, at time.Time) *replayed {
	t.Helper()
	r := &replayed{clock: devdirector.NewManualClock(at), ids: newIDs()}
	o.Clock = r.clock
	d, err := devdirector.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	r.director = d
	transport := &http.Transport{}
	if d.CACert() != "" {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM([]byte(d.CACert()))
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	r.client = &http.Client{
		Transport: transport, Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// TestRecordedExchanges replays the recordings, at the times at which they were recorded.
func TestRecordedExchanges(t *testing.T) {
	exchanges := readExchanges(t)
	checkLeftOut(t, exchanges)
	putBefore(exchanges, "501-twin-2", "500-twin-1") // of twins either may win; here the first one does
	tasks := recordedTasks(exchanges)
	doors := openDoors(t, exchanges)
	for _, e := range exchanges {
		if leftOut[e.name] != "" {
			continue
		}
		t.Run(e.name, func(t *testing.T) {
			r := doors[e.port()]
			r.moveTo(e, e.when(t))
			r.script(e, tasks)
			got, err := replay(r.client, r.director.URL(), r.token(e), e, r.ids)
			if err != nil {
				t.Fatal(err)
			}
			r.compare(t, e, got)
		})
	}
}

// moveTo moves the clock to when the exchange was recorded. The recordings know whole seconds only: an answer that
// tells of a task's end in the same second came late in it.
func (r *replayed) moveTo(e *exchange, at time.Time) {
	var task recordedTask
	if json.Unmarshal([]byte(e.content), &task) == nil && task.Timestamp == at.Unix() {
		at = at.Add(400 * time.Millisecond)
	}
	if ahead := at.Sub(r.clock.Now()); ahead > 0 {
		r.clock.Advance(ahead)
	}
}

func (r *replayed) compare(t *testing.T, e *exchange, got answer) {
	t.Helper()
	if id := e.recordedTask(); id != "" {
		r.ids.tasks[id] = taskInLocation(got.header)
	}
	c := &comparison{ids: r.ids, exact: shapeOnly[e.name] == "", providers: strings.HasPrefix(e.path, "/link_providers")}
	if got.status != e.status {
		c.fault("status %d, recorded %d", got.status, e.status)
	}
	c.headers(e.answer, got.header)
	c.body(e.content, got.body)
	for _, fault := range c.faults {
		t.Error(fault)
	}
}

func putBefore(list []*exchange, name, other string) {
	index := func(name string) int {
		return slices.IndexFunc(list, func(e *exchange) bool { return e.name == name })
	}
	from, to := index(name), index(other)
	list[from], list[to] = list[to], list[from]
}

// checkLeftOut makes sure that what is left out was recorded, and has a reason.
func checkLeftOut(t *testing.T, exchanges []*exchange) {
	t.Helper()
	for _, table := range []map[string]string{leftOut, shapeOnly} {
		for name, reason := range table {
			known := slices.ContainsFunc(exchanges, func(e *exchange) bool { return e.name == name })
			if !known || reason == "" {
				t.Errorf("%s: no such recording, or no reason", name)
			}
		}
	}
	for name := range leftOut {
		if shapeOnly[name] != "" {
			t.Errorf("%s: both left out and compared", name)
		}
	}
}

// recordedTask is what the recordings know of a task that has ended.
type recordedTask struct {
	ID         json.Number
	State      string
	Deployment string
	Result     *string
	Timestamp  int64
	StartedAt  int64 `json:"started_at"`
}

func recordedTasks(exchanges []*exchange) map[string]recordedTask {
	tasks := map[string]recordedTask{}
	for _, e := range exchanges {
		var one recordedTask
		list := []recordedTask{}
		if json.Unmarshal([]byte(e.content), &one) == nil && strings.HasPrefix(e.path, "/tasks/") {
			list = append(list, one)
		} else if strings.HasPrefix(e.path, "/tasks?") && json.Unmarshal([]byte(e.content), &list) != nil {
			continue
		}
		for _, task := range list {
			if task.Timestamp != 0 && task.State != "cancelling" {
				tasks[task.ID.String()] = task
			}
		}
	}
	return tasks
}

// openDoors starts the Directors and brings them to where the recordings of each door begin.
func openDoors(t *testing.T, exchanges []*exchange) map[string]*replayed {
	t.Helper()
	first := exchanges[0].when(t)
	cloudConfig := recordedCloudConfig(t, exchanges)
	base := contractOptions(cloudConfig)
	uaa, current, puma := base, base, base
	uaa.Users, uaa.UAA = nil, &devdirector.UAAOptions{Clients: map[string]devdirector.UAAClient{
		"broker":  {Secret: "secret", Scopes: []string{"bosh.admin"}},
		"reader":  {Secret: "secret", Scopes: []string{"bosh.read"}},
		"noscope": {Secret: "secret", Scopes: []string{"uaa.none"}},
	}}
	current.RedirectStatus = http.StatusSeeOther
	puma.RedirectStatus, puma.TLS = http.StatusSeeOther, false
	doors := map[string]*replayed{
		mainPort: startReplayed(t, base, first), uaaPort: startReplayed(t, uaa, first),
		nginxPort: startReplayed(t, current, first), pumaPort: startReplayed(t, puma, first),
	}
	for _, r := range doors {
		r.setErrands()
	}
	doors[uaaPort].logIn(t, exchanges)
	return doors
}

func recordedCloudConfig(t *testing.T, exchanges []*exchange) string {
	t.Helper()
	for _, e := range exchanges {
		var configs []struct{ Content string }
		if e.name == "300-configs-latest" && json.Unmarshal([]byte(e.content), &configs) == nil {
			return configs[0].Content
		}
	}
	t.Fatal("no recorded cloud config")
	return ""
}

func (r *replayed) setErrands() {
	r.director.SetErrand("smoke", devdirector.Errand{Stdout: "smoke start\nsmoke done\n", Stderr: "to stderr\n"})
	r.director.SetErrand("errands", devdirector.Errand{Stdout: "slow start\n", Stderr: "to stderr\n", Duration: 40 * time.Second})
}

// logIn gets tokens that stand for the recorded ones, and makes the deployment that the others' requests are about.
func (r *replayed) logIn(t *testing.T, exchanges []*exchange) {
	t.Helper()
	good, reader, noscope := r.newToken(t, "broker"), r.newToken(t, "reader"), r.newToken(t, "noscope")
	r.tokens = map[string]string{
		"005-info-uaa-auth": good, "431-uaa-ok": good, "432-uaa-Bearer": good, "439-uaa-deploy-user": good,
		"440-uaa-deploy-task": good, "436-uaa-noscope": noscope, "437-uaa-reader-deploy": reader,
	}
	for _, e := range exchanges {
		if e.name != "010-deploy-create" {
			continue
		}
		if _, err := replay(r.client, r.director.URL(), good, withBearer(e), r.ids); err != nil {
			t.Fatal(err)
		}
	}
}

func withBearer(e *exchange) *exchange {
	other := *e
	other.header = e.header.Clone()
	other.header.Set("Authorization", "bearer")
	return &other
}

func (r *replayed) newToken(t *testing.T, client string) string {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}}
	request, err := http.NewRequest(http.MethodPost, r.director.UAAURL()+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(client, "secret")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := r.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&token); err != nil || token.AccessToken == "" {
		t.Fatalf("token for %s: %d %v", client, response.StatusCode, err)
	}
	return token.AccessToken
}

// token is what to send instead of the recorded token; those that were expired or garbage are sent as they are.
func (r *replayed) token(e *exchange) string { return r.tokens[e.name] }
