package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"gopkg.in/yaml.v3"
)

// agent is what a service runs on its VMs for its adapter: it keeps the service's users.
type agent struct {
	url       string
	mu        sync.Mutex
	users     map[string]string // to passwords
	addresses map[string][]string
}

func startAgent() *agent {
	a := &agent{users: map[string]string{}, addresses: map[string][]string{}}
	server := httptest.NewServer(a)
	DeferCleanup(server.Close)
	a.url = server.URL
	return a
}

func (a *agent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	user := filepath.Base(r.URL.Path)
	_, known := a.users[user]
	var addresses []string
	_ = json.NewDecoder(r.Body).Decode(&addresses) // what isn't a list of addresses is none
	a.addresses[user] = addresses
	switch {
	case r.Method == http.MethodPut && known:
		w.WriteHeader(http.StatusConflict)
	case r.Method == http.MethodPut:
		a.users[user] = fmt.Sprintf("made-by-the-agent-%d", len(a.addresses))
		_, _ = w.Write([]byte(a.users[user]))
	case !known:
		w.WriteHeader(http.StatusNotFound)
	default:
		delete(a.users, user)
	}
}

func (a *agent) known() map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.users)
}

// foundBy are the addresses by which the adapter found the agent when it last asked about a user.
func (a *agent) foundBy(user string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.addresses[user]
}

// buildSDKAdapter compiles the adapter that uses what the examples don't; it is run under the name of an entry of the SDK.
func buildSDKAdapter(ctx context.Context, dir string) (entry func(name string) string) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, buildPatience)
	defer cancel()
	path := filepath.Join(dir, "sdk-adapter")
	output, err := exec.CommandContext(ctx, "go", "build", "-C", "testdata/sdk-adapter", "-buildvcs=false", "-o", path, ".").CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(output))
	return func(name string) string {
		GinkgoHelper()
		named := filepath.Join(GinkgoT().TempDir(), name)
		Expect(os.Symlink(path, named)).To(Succeed())
		return named
	}
}

// servingAdapter is the stories' own configuration with another adapter.
func (w *world) servingAdapter(path string) setting {
	return with("  path: "+w.adapter.Path, "  path: "+path)
}

var _ = Describe("what the public SDK offers authors", Ordered, ContinueOnFailure, func() {
	var entry func(string) string
	BeforeAll(func(ctx SpecContext) {
		dir, err := os.MkdirTemp("", "odb-sdk-adapter-*")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(os.RemoveAll, dir)
		entry = buildSDKAdapter(ctx, dir)
	})
	serving := func(name string, changes ...setting) (*world, *agent) {
		GinkgoHelper()
		agent := startAgent()
		w := newWorldWithoutBroker()
		w.serve(append(changes, w.servingAdapter(entry(name)), with("properties: {maxmemory: 100}", "properties: {maxmemory: 100, agent: \""+agent.url+"\"}"))...)
		return w, agent
	}
	arguments := with("use_stdin: true", "use_stdin: false")

	DescribeTable("is served by whichever entry", func(name string, changes ...setting) {
		w, agent := serving(name, changes...)
		a := w.platform.provision("i-1", nil)
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(a.body).To(HaveKeyWithValue("dashboard_url", "https://dashboard.example/i-1"))
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(w.platform.bind("i-1", "b-1", nil).status).To(Equal(http.StatusCreated))
		a = w.platform.update("i-1", object{"parameters": object{"a": 1}})
		Expect(a.status).To(Equal(http.StatusAccepted), "the same manifest twice is no pending change: "+a.text)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(w.platform.unbind("i-1", "b-1").status).To(Equal(http.StatusOK))
		Expect(agent.known()).To(BeEmpty())
		w.succeeds("i-1", 0, func() answer { return w.platform.deprovision("i-1") })
	},
		Entry("HandleCLI", "handle-cli"),
		Entry("HandleCLI, by arguments", "handle-cli", arguments),
		Entry("Handle", "handle"),
		Entry("Handle, by arguments", "handle", arguments),
		Entry("HandleCommandLineInvocation, deprecated", "handle-command-line-invocation"),
		Entry("HandleCommandLineInvocation, deprecated, by arguments", "handle-command-line-invocation", arguments),
	)

	It("reaches the Director: variables, addons, tags, features, env and vm_strategy", func() {
		w, _ := serving("handle-cli")
		w.platform.provisioned("i-1")
		var deployed map[string]any
		Expect(yaml.Unmarshal([]byte(w.manifest("i-1")), &deployed)).To(Succeed())
		Expect(deployed).To(And(
			HaveKeyWithValue("variables", []any{object{"name": "admin-password", "type": "password", "update_mode": "converge", "options": object{"length": 40}}}),
			HaveKeyWithValue("addons", []any{object{"name": "metrics", "jobs": []any{object{"name": "redis-server", "release": "redis"}}, "include": object{"instance_groups": []any{"nothing-yet"}}}}),
			HaveKeyWithValue("tags", object{"product": "cache"}),
			HaveKeyWithValue("features", object{"use_dns_addresses": true, "converge_variables": true}),
			HaveKeyWithValue("instance_groups", ConsistOf(HaveKeyWithValue("env", object{"bosh": object{"swap_size": 0}}))),
			HaveKeyWithValue("update", And(HaveKeyWithValue("vm_strategy", "create-swap-delete"), HaveKeyWithValue("max_in_flight", "50%"))),
		))
	})

	It("gives typed errors of bindings their status", func() {
		w, _ := serving("handle-cli")
		w.platform.provisioned("i-1")
		Expect(w.platform.bind("i-1", "b-1", nil).status).To(Equal(http.StatusCreated))
		Expect(w.platform.bind("i-1", "b-1", nil).status).To(Equal(http.StatusConflict), "BindingAlreadyExistsError")
		a := w.platform.bind("i-1", "b-2", object{"bind_resource": object{"credential_client_id": "keys"}})
		Expect(a.status).To(Equal(http.StatusUnprocessableEntity), "AppGuidNotProvidedError")
		Expect(a.body).To(HaveKeyWithValue("error", "RequiresApp"))
		Expect(w.platform.unbind("i-1", "b-3").status).To(Equal(http.StatusGone), "BindingNotFoundError")
	})

	It("finds parameters, context, platform and bind resource in a bind", func() {
		w, _ := serving("handle-cli")
		w.platform.provisioned("i-1")
		a := w.platform.bind("i-1", "b-1", object{
			"parameters": object{"role": "reader"}, "context": object{"platform": "cloudfoundry", "space_name": "dev"}, "bind_resource": object{"app_guid": "app-7"},
		})
		Expect(a.body).To(HaveKeyWithValue("credentials", And(HaveKeyWithValue("role", "reader"), HaveKeyWithValue("space", "dev"),
			HaveKeyWithValue("platform", "cloudfoundry"), HaveKeyWithValue("app", "app-7"))))
	})

	It("lets an agent on the instance's VMs make credentials of their own for each binding", func() {
		w, agent := serving("handle-cli")
		w.platform.provisioned("i-1")
		first, second := w.credentials("i-1", "b-1", smallPlan), w.credentials("i-1", "b-2", smallPlan)
		Expect(agent.known()).To(Equal(map[string]string{"b-1": first["password"].(string), "b-2": second["password"].(string)}))
		Expect(first["password"]).NotTo(Equal(second["password"]))
		Expect(agent.foundBy("b-1")).To(ConsistOf(MatchRegexp(`^\d+\.\d+\.\d+\.\d+$`)), "the adapter knows where the agents are")
		Expect(w.platform.unbind("i-1", "b-1").status).To(Equal(http.StatusOK))
		Expect(agent.known()).To(HaveLen(1))
		Expect(agent.known()).To(HaveKey("b-2"))
	})
})

// genericAdapter is an adapter for any service, in a few lines of shell: the manifest is a template that the operator wrote, with
// NAME for the deployment's; credentials are what the template says of them.
const genericAdapter = `#!/bin/sh
set -eu
here=$(dirname "$0")
case "$1" in
generate-manifest)
	name=$(printf %s "$2" | sed 's/.*"deployment_name":"\([^"]*\)".*/\1/')
	sed "s/NAME/$name/" "$here/manifest.yml" ;;
create-binding)
	address=$(printf %s "$3" | sed 's/[^[]*\["\([^"]*\)".*/\1/')
	sed "s/ADDRESS/$address/; s/BINDING/$2/" "$here/credentials.json" ;;
delete-binding) ;;
*) exit 10 ;;
esac
`

var _ = Describe("a generic adapter, whose service is all configuration", func() {
	It("is served, in whatever language it is written", func() {
		dir := GinkgoT().TempDir()
		for file, text := range map[string]string{
			"adapter":          genericAdapter,
			"manifest.yml":     strings.ReplaceAll(makes("from-a-template", 1, nil).Manifest, "{{deployment}}", "NAME"),
			"credentials.json": `{"credentials": {"host": "ADDRESS", "username": "BINDING"}}`,
		} {
			Expect(os.WriteFile(filepath.Join(dir, file), []byte(text), 0o700)).To(Succeed())
		}
		w := newWorldWithoutBroker()
		w.serve(w.servingAdapter(filepath.Join(dir, "adapter")), with("use_stdin: true", "use_stdin: false"))
		a := w.platform.provision("i-1", nil)
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(a.body).NotTo(HaveKey("dashboard_url"))
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(w.manifest("i-1")).To(ContainSubstring("from-a-template"))
		Expect(w.credentials("i-1", "b-1", smallPlan)).To(And(HaveKeyWithValue("username", "b-1"), HaveKeyWithValue("host", MatchRegexp(`^\d+\.\d+\.\d+\.\d+$`))))
		a = w.platform.update("i-1", object{"parameters": object{"a": 1}})
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(w.platform.unbind("i-1", "b-1").status).To(Equal(http.StatusOK))
		w.succeeds("i-1", 0, func() answer { return w.platform.deprovision("i-1") })
	})
})
