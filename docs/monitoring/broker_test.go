package monitoring_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const (
	root    = "../.."
	service = "2c9f1f4a-52d3-4b7e-9a35-0d7b6f3c1000"
	plan    = "2c9f1f4a-52d3-4b7e-9a35-0d7b6f3c1001"
)

// runningBroker is `odb dev` with the example's configuration.
type runningBroker struct {
	t   *testing.T
	url string
}

// startBroker builds and starts it, with a quota and with a list of instances to ask.
func startBroker(t *testing.T) *runningBroker {
	t.Helper()
	folder := t.TempDir()
	build(t, root, "./cmd/odb", filepath.Join(folder, "odb"))
	build(t, filepath.Join(root, "examples/cache"), ".", filepath.Join(folder, "cache-adapter"))
	list := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "[]") }))
	t.Cleanup(list.Close)

	text, err := os.ReadFile(filepath.Join(root, "examples/cache/broker.yml"))
	if err != nil {
		t.Fatal(err)
	}
	config := strings.NewReplacer(
		"path: bin/cache-adapter", "path: "+filepath.Join(folder, "cache-adapter"),
		"\nservice_catalog:\n", "\nservice_instances_api: {url: "+list.URL+"}\nservice_catalog:\n  global_quotas: {service_instance_limit: 4}\n",
	).Replace(string(text))
	path := filepath.Join(folder, "broker.yml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	dev := exec.CommandContext(ctx, filepath.Join(folder, "odb"), "dev", "--config", path, "--broker-port", "0", "--director-port", "0", "--task-duration", "10ms", "--log", filepath.Join(folder, "odb.log"))
	dev.Cancel = func() error { return dev.Process.Signal(os.Interrupt) }
	dev.WaitDelay = 20 * time.Second
	out, err := dev.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := dev.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); _ = dev.Wait() })
	return &runningBroker{t, addressIn(t, out)}
}

func build(t *testing.T, folder, what, to string) {
	t.Helper()
	command := exec.Command("go", "build", "-buildvcs=false", "-o", to, what)
	command.Dir = folder
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("building %s in %s: %v\n%s", what, folder, err, out)
	}
}

// addressIn reads what is printed until it tells where the broker is, and what follows aside.
func addressIn(t *testing.T, out io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if found := regexp.MustCompile(`is ready at (http://[^,]+),`).FindStringSubmatch(lines.Text()); found != nil {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return found[1]
		}
	}
	t.Fatal("odb dev didn't say where the broker is")
	return ""
}

func (b *runningBroker) do(method, path, body string, want int) string {
	b.t.Helper()
	request, err := http.NewRequest(method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	request.SetBasicAuth("broker", "broker")
	request.Header.Set("X-Broker-API-Version", "2.17")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != want {
		b.t.Fatalf("%s %s: %d %s %v", method, path, answer.StatusCode, text, err)
	}
	return string(text)
}

// follow polls until the operation has ended well.
func (b *runningBroker) follow(path, accepted string) {
	b.t.Helper()
	var answer struct{ Operation, State string }
	if err := json.Unmarshal([]byte(accepted), &answer); err != nil {
		b.t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); answer.State != "succeeded"; time.Sleep(20 * time.Millisecond) {
		polled := b.do("GET", path+"/last_operation?operation="+url.QueryEscape(answer.Operation), "", 200)
		if err := json.Unmarshal([]byte(polled), &answer); err != nil || answer.State == "failed" || time.Now().After(deadline) {
			b.t.Fatalf("%s %v", polled, err)
		}
	}
}

// live has the broker do a little of everything.
func (b *runningBroker) live() {
	b.t.Helper()
	ids := fmt.Sprintf(`"service_id": %q, "plan_id": %q`, service, plan)
	query := "?service_id=" + service + "&plan_id=" + plan
	for _, id := range []string{"one", "two"} {
		path := "/v2/service_instances/" + id
		b.follow(path, b.do("PUT", path+"?accepts_incomplete=true", `{`+ids+`, "organization_guid": "o", "space_guid": "s"}`, 202))
	}
	b.do("PUT", "/v2/service_instances/one/service_bindings/b", `{`+ids+`}`, 201)
	b.do("DELETE", "/v2/service_instances/one/service_bindings/b"+query, "", 200)
	b.do("GET", "/mgmt/service_instances", "", 200)
	b.follow("/v2/service_instances/two", b.do("DELETE", "/v2/service_instances/two"+query+"&accepts_incomplete=true", "", 202))
}

func (b *runningBroker) scrape() string {
	b.t.Helper()
	return b.do("GET", "/metrics", "", 200)
}

// scrapeCounted waits until the instances were counted.
func (b *runningBroker) scrapeCounted() string {
	b.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if text := b.scrape(); strings.Contains(text, "\nodb_quota_used{") {
			return text
		}
		if time.Now().After(deadline) {
			b.t.Fatal("the instances were not counted")
		}
	}
}
