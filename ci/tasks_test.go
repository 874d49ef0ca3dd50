package ci_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// place is the folder that a task runs in, with a checkout whose Makefile only notes how it was called.
type place struct {
	*testing.T
	dir, bin string
}

// double records its calls in the file calls. cf answers for a service key, and fails at what FAIL_AT says.
const double = `#!/bin/sh
echo "${0##*/} $*" >>"$CALLS"
case "$*" in
"$FAIL_AT"*) [ -z "$FAIL_AT" ] || exit 9 ;;
esac
case "$*" in
*--guid*) echo key-guid ;;
"curl "*) echo "{\"credentials\": {$CREDENTIALS}}" ;;
esac
`

// makefile's release depends on nothing but the version, as that of the true one does for one commit.
const makefile = "release:\n\tprintf 'release %s' '$(VERSION)' > '$(TARBALL)'\ntest:\n\t@echo tested\nrelease-test:\n\t@echo listed\n"

func newPlace(t *testing.T, doubles ...string) place {
	t.Helper()
	p := place{t, t.TempDir(), t.TempDir()}
	p.write("source/Makefile", makefile, 0o600)
	scripts, err := filepath.Glob("tasks/*.sh")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, script := range scripts {
		p.write("source/ci/"+script, read(t, script), 0o700)
	}
	for _, name := range doubles {
		if err := os.WriteFile(filepath.Join(p.bin, name), []byte(double), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p place) write(name, content string, mode os.FileMode) {
	p.Helper()
	file := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		p.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		p.Fatal(err)
	}
}

// run runs a task and gives its exit code, what it said, and what it had the doubles do.
func (p place) run(task string, environment ...string) (code int, said, calls string) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(p.dir, "source/ci/tasks", task+".sh"))
	command.Dir = p.dir
	record := filepath.Join(p.bin, "calls")
	command.Env = append([]string{"PATH=" + p.bin + ":/usr/local/bin:/usr/bin:/bin", "CALLS=" + record, "FAIL_AT="}, environment...)
	out, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.Fatal(err)
	}
	recorded, err := os.ReadFile(record)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		p.Fatal(err)
	}
	return command.ProcessState.ExitCode(), string(out), string(recorded)
}

func (p place) content(name string) string {
	p.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		p.Fatal(err)
	}
	return string(text)
}

func TestTestTask(t *testing.T) {
	p := newPlace(t, "go", "gcc", "git", "ruby")
	if code, said, _ := p.run("test"); code != 0 || !strings.Contains(said, "tested\nlisted") {
		t.Errorf("exit code %d: %s", code, said)
	}
}

func TestReleaseTask(t *testing.T) {
	p := newPlace(t, "go", "git")
	if code, said, _ := p.run("release"); code == 0 || !strings.Contains(said, "there is no version/version here") {
		t.Errorf("exit code %d: %s", code, said)
	}
	p.write("version/version", "1.2.3", 0o600)
	if code, said, _ := p.run("release"); code != 0 {
		t.Fatalf("exit code %d: %s", code, said)
	}
	if got := p.content("release/on-demand-service-broker-1.2.3.tgz"); got != "release 1.2.3" {
		t.Errorf("built is %q", got)
	}
}

func TestPromoteTask(t *testing.T) {
	p := newPlace(t, "go", "git")
	candidate := "candidate/on-demand-service-broker-1.2.3.tgz"
	p.write(candidate, "release 1.2.2", 0o600)
	if code, said, _ := p.run("promote"); code == 0 || !strings.Contains(said, "isn't what this commit builds") {
		t.Errorf("exit code %d: %s", code, said)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "final")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was promoted: %v", err)
	}
	p.write(candidate, "release 1.2.3", 0o600)
	if code, said, _ := p.run("promote"); code != 0 {
		t.Fatalf("exit code %d: %s", code, said)
	}
	if got := p.content("final/on-demand-service-broker-1.2.3.tgz"); got != "release 1.2.3" {
		t.Errorf("promoted is %q", got)
	}
	if got := p.content("final/tag"); got != "v1.2.3\n" {
		t.Errorf("the tag is %q", got)
	}
}

var director = []string{"BOSH_ENVIRONMENT=https://10.0.0.6", "BOSH_CLIENT=ci", "BOSH_CLIENT_SECRET=director-secret", "BOSH_DEPLOYMENT=odb"}

func TestDeployTask(t *testing.T) {
	p := newPlace(t, "bosh")
	if code, said, _ := p.run("deploy"); code == 0 || !strings.Contains(said, "not set: BOSH_ENVIRONMENT BOSH_CLIENT BOSH_CLIENT_SECRET BOSH_DEPLOYMENT") {
		t.Errorf("exit code %d: %s", code, said)
	}
	if code, said, _ := p.run("deploy", director...); code == 0 || !strings.Contains(said, "there must be one candidate/") {
		t.Errorf("exit code %d: %s", code, said)
	}
	p.write("candidate/on-demand-service-broker-1.2.3.tgz", "", 0o600)
	p.write("environment/ops/tls.yml", "", 0o600)
	code, said, calls := p.run("deploy", director...)
	want := `bosh upload-release candidate/on-demand-service-broker-1.2.3.tgz
bosh deploy --var odb_version=1.2.3 --ops-file environment/ops/tls.yml environment/manifest.yml
bosh run-errand register-broker
bosh run-errand upgrade-all-service-instances
`
	if code != 0 || calls != want {
		t.Errorf("exit code %d: %s\n%s", code, said, calls)
	}
}

func TestDeployTaskStopsAtAnErrandThatFails(t *testing.T) {
	p := newPlace(t, "bosh")
	p.write("candidate/on-demand-service-broker-1.2.3.tgz", "", 0o600)
	code, said, calls := p.run("deploy", append(director, "FAIL_AT=run-errand register-broker")...)
	if code != 9 || strings.Contains(calls, "upgrade-all") {
		t.Errorf("exit code %d: %s\n%s", code, said, calls)
	}
}

var cloudFoundry = []string{"CF_API=https://api.example.com", "CF_USERNAME=ci", "CF_PASSWORD=cf-secret", "CF_ORG=acceptance", "SERVICE=cache", "PLAN=small"}

func TestAcceptanceTask(t *testing.T) {
	p := newPlace(t, "cf")
	code, said, calls := p.run("acceptance", append(cloudFoundry, "OTHER_PLAN=large", `CREDENTIALS="password": "app-secret"`)...)
	if code != 0 || !strings.Contains(said, "cache was provisioned, bound, updated, unbound and deprovisioned") {
		t.Errorf("exit code %d: %s", code, said)
	}
	for _, secret := range []string{"cf-secret", "app-secret"} {
		if strings.Contains(said+calls, secret) {
			t.Errorf("%s is in an argument or in what is said:\n%s\n%s", secret, said, calls)
		}
	}
	at := 0
	for _, want := range []string{"cf auth\n", "cf create-space ", "cf create-service cache small acceptance --wait\n", "cf create-service-key acceptance key --wait\n",
		"cf curl --fail /v3/service_credential_bindings/key-guid/details\n", "cf update-service acceptance -p large --wait\n",
		"cf delete-service-key acceptance key -f --wait\n", "cf delete-service acceptance -f --wait\n", "cf delete-space "} {
		next := strings.Index(calls[at:], want)
		if next < 0 {
			t.Fatalf("no %q in its place:\n%s", want, calls)
		}
		at += next
	}
}

func TestAcceptanceTaskFailsAndCleansUp(t *testing.T) {
	for name, test := range map[string]struct {
		environment []string
		code        int
		spaceStays  bool
	}{
		"a key without credentials":         {nil, 1, false},
		"an instance that isn't created":    {[]string{"FAIL_AT=create-service cache"}, 9, false},
		"an update that fails":              {[]string{"OTHER_PLAN=large", `CREDENTIALS="a": 1`, "FAIL_AT=update-service"}, 9, false},
		"an instance that can't be deleted": {[]string{`CREDENTIALS="a": 1`, "FAIL_AT=delete-service acceptance"}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, "cf")
			code, said, calls := p.run("acceptance", append(append([]string{}, cloudFoundry...), test.environment...)...)
			if code != test.code {
				t.Errorf("exit code %d: %s", code, said)
			}
			if stays := !strings.Contains(calls, "cf delete-space "); stays != test.spaceStays {
				t.Errorf("the space stays: %v\n%s", stays, calls)
			}
		})
	}
}
