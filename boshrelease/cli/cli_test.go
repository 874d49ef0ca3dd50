package cli

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// root is the repository.
const root = "../.."

// program runs a command, and gives what it printed. It fails the test if the command does.
func program(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "BOSH_NON_INTERACTIVE=true")
	var stderr strings.Builder
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s%s", filepath.Base(name), args, err, output, stderr.String())
	}
	return string(output)
}

// bosh builds the CLI.
func bosh(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bosh")
	program(t, ".", "go", "build", "-buildvcs=false", "-o", path, "github.com/cloudfoundry/bosh-cli/v7")
	return path
}

func TestTheCLI(t *testing.T) {
	cli := bosh(t)
	t.Run("knows the release", func(t *testing.T) { knowsTheRelease(t, cli) })
	t.Run("reads the manifests", func(t *testing.T) { readsTheManifests(t, cli) })
	t.Run("knows the development Director", func(t *testing.T) { knowsTheDevelopmentDirector(t, cli) })
}

// fingerprint is what tells two versions of a job or package apart.
var fingerprint = regexp.MustCompile(`(?m)^([a-z-]+/[0-9a-f]{64})\s`)

func listed(output string) (jobsAndPackages []string) {
	for _, found := range fingerprint.FindAllStringSubmatch(output, -1) {
		jobsAndPackages = append(jobsAndPackages, found[1])
	}
	slices.Sort(jobsAndPackages)
	return jobsAndPackages
}

// The CLI lists all of what `make release` makes, and what it makes itself of the same files has the same fingerprints, so that a
// Director knows the one for the other.
func knowsTheRelease(t *testing.T, cli string) {
	dir := t.TempDir()
	tarball := filepath.Join(dir, "release.tgz")
	program(t, root, "make", "release", "VERSION=1.2.3", "TARBALL="+tarball)
	output := program(t, dir, cli, "inspect-local-release", tarball)
	for _, line := range []string{"on-demand-service-broker", "1.2.3"} {
		if !strings.Contains(output, line) {
			t.Errorf("%q is missing in\n%s", line, output)
		}
	}
	var names []string
	for _, line := range listed(output) {
		name, _, _ := strings.Cut(line, "/")
		names = append(names, name)
	}
	folders, err := filepath.Glob(filepath.Join(root, "boshrelease", "[jp][oa]*s", "*"))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, folder := range folders {
		want = append(want, filepath.Base(folder))
	}
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("it lists %q, not %q", names, want)
	}

	folder := filepath.Join(dir, "boshrelease")
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(root, "boshrelease"))); err != nil {
		t.Fatal(err)
	}
	created := program(t, dir, cli, "create-release", "--dir", folder, "--force", "--version", "1.2.3", "--tarball", filepath.Join(dir, "its-own.tgz"))
	if its := listed(created); !slices.Equal(its, listed(output)) {
		t.Errorf("of the same files it makes %q", its)
	}
}

// The manifests and operations are complete for the CLI: each operation finds its place, and each variable is given.
func readsTheManifests(t *testing.T, cli string) {
	manifests, operations := filepath.Join(root, "boshrelease", "manifests"), filepath.Join(root, "boshrelease", "operations")
	variables := filepath.Join(manifests, "vars.yml")
	interpolate := func(base string, operations ...string) {
		t.Helper()
		args := []string{"interpolate", filepath.Join(manifests, base), "--vars-file", variables, "--vars-store", filepath.Join(t.TempDir(), "made.yml"), "--var-errs"}
		for _, path := range operations {
			args = append(args, "--ops-file", path)
		}
		program(t, ".", cli, args...)
	}
	for _, base := range []string{"cloud-foundry.yml", "without-cloud-foundry.yml", "credhub.yml", "high-availability.yml"} {
		interpolate(base)
	}
	paths, err := filepath.Glob(filepath.Join(operations, "*.yml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no operations: %v", err)
	}
	for _, path := range paths {
		base := "cloud-foundry.yml"
		if slices.Contains([]string{"service-instances-api.yml", "full-maintenance-info.yml"}, filepath.Base(path)) {
			base = "without-cloud-foundry.yml"
		}
		interpolate(base, path)
	}
}

// The CLI sees what the broker has made on the development Director, whole, and deletes it.
func knowsTheDevelopmentDirector(t *testing.T, cli string) {
	dir := t.TempDir()
	program(t, root, "make", "build")
	broker, director := dev(t, dir)
	t.Setenv("BOSH_ENVIRONMENT", director)
	t.Setenv("BOSH_CLIENT", "admin")
	t.Setenv("BOSH_CLIENT_SECRET", "admin")
	t.Setenv("BOSH_CA_CERT", filepath.Join(dir, "director", "ca.pem"))
	provision(t, broker)

	const deployment = "service-instance_my-instance"
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"environment"}, "dev-director"},
		{[]string{"task", "1"}, "Updating instance"}, // which waits for its end
		{[]string{"deployments"}, deployment + "\tcache/1.0.0"},
		{[]string{"configs"}, "odb-instance"},
		{[]string{"config", "--type", "odb-instance", "--name", deployment}, `"organization_guid":"my-org"`},
		{[]string{"tasks", "--recent"}, "create deployment"},
		{[]string{"-d", deployment, "manifest"}, "name: " + deployment},
		{[]string{"-d", deployment, "instances", "--ps"}, "running"},
		{[]string{"-d", deployment, "vms"}, "running"},
		{[]string{"events"}, "create \tdeployment"},
		{[]string{"-d", deployment, "restart"}, "Updating instance"},
		{[]string{"-d", deployment, "delete-deployment"}, "Destroying deployment"},
		{[]string{"tasks", "--recent"}, "delete deployment"},
	} {
		if output := program(t, dir, cli, c.args...); !strings.Contains(output, c.want) {
			t.Errorf("bosh %q says\n%s\nwithout %q", c.args, output, c.want)
		}
	}
	if output := program(t, dir, cli, "deployments"); strings.Contains(output, deployment) {
		t.Errorf("it is still there:\n%s", output)
	}
}

// dev starts `odb dev` with the example, and gives the addresses of the broker and its Director.
func dev(t *testing.T, dir string) (broker, director string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "bin/odb", "dev", "--config", "examples/cache/broker.yml",
		"--state", filepath.Join(dir, "director"), "--log", filepath.Join(dir, "odb.log"), "--broker-port", "0", "--director-port", "0", "--task-duration", "1s")
	command.Dir = root
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Wait() }) // after the test's context has ended it
	addresses := regexp.MustCompile(`ready at (\S+), on the development Director at (\S+) `)
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if found := addresses.FindStringSubmatch(lines.Text()); found != nil {
			go func() {
				for lines.Scan() { // the rest, so that the process isn't held up
				}
			}()
			return found[1], found[2]
		}
	}
	t.Fatalf("odb dev ended: %v", lines.Err())
	return "", ""
}

func provision(t *testing.T, broker string) {
	t.Helper()
	const body = `{"service_id":"2c9f1f4a-52d3-4b7e-9a35-0d7b6f3c1000","plan_id":"2c9f1f4a-52d3-4b7e-9a35-0d7b6f3c1001","organization_guid":"my-org","space_guid":"my-space"}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, fmt.Sprintf("%s/v2/service_instances/my-instance?accepts_incomplete=true", broker), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("broker", "broker")
	request.Header.Set("X-Broker-API-Version", "2.17")
	client := http.Client{Timeout: time.Minute}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusAccepted {
		t.Fatalf("it answers %s", answer.Status)
	}
}
