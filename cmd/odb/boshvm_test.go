package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"gopkg.in/yaml.v3"

	"github.com/on-demand-broker/odb/boshrelease/rendering"
)

const releaseDir = "../../boshrelease"

// vm is a machine that BOSH has brought jobs of the release to.
type vm struct {
	root string // what is /var/vcap elsewhere
	// broker and jobs are the properties of the manifest; errands is what of it is given to the other jobs.
	broker  object
	errands map[string]object
}

// newVM makes a machine for the deployment of an owner, with the package compiled.
func newVM(deployment string) *vm {
	GinkgoHelper()
	text, err := os.ReadFile(filepath.Join(releaseDir, "testdata", "deployments", deployment+".yml"))
	Expect(err).NotTo(HaveOccurred())
	var described struct {
		Broker object
		Jobs   map[string]object
	}
	Expect(yaml.Unmarshal(text, &described)).To(Succeed())
	v := &vm{root: GinkgoT().TempDir(), broker: described.Broker, errands: described.Jobs}
	for _, dir := range []string{"sys/log/broker", "sys/run/bpm/broker", "packages/odb/bin", "jobs/bpm/bin"} {
		Expect(os.MkdirAll(filepath.Join(v.root, dir), 0o755)).To(Succeed())
	}
	executable, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	Expect(os.Symlink(executable, v.path("packages/odb/bin/odb"))).To(Succeed())
	return v
}

func (v *vm) path(name string) string { return filepath.Join(v.root, name) }

// set gives the broker's job a property.
func (v *vm) set(property string, value any) {
	tree := map[string]any(v.broker)
	keys := strings.Split(property, ".")
	for _, key := range keys[:len(keys)-1] {
		branch, _ := tree[key].(map[string]any)
		if branch == nil {
			branch = map[string]any{}
		}
		tree[key] = branch
		tree = branch
	}
	tree[keys[len(keys)-1]] = value
}

// install renders jobs and brings their files to the machine.
func (v *vm) install(jobs ...string) {
	GinkgoHelper()
	director, _ := v.broker["bosh"].(map[string]any)
	authority, _ := director["root_ca_cert"].(string) // any will do for a CredHub that isn't there
	links := map[string]rendering.Link{
		"broker":  {Provider: filepath.Join(releaseDir, "jobs", "broker"), Properties: v.broker, Instances: []string{"127.0.0.1"}},
		"credhub": {Properties: object{"credhub": object{"internal_url": "127.0.0.1", "port": 1, "ca_certificate": authority}}},
	}
	wanted := make([]rendering.Job, 0, len(jobs))
	for _, job := range jobs {
		properties := v.errands[job]
		if job == "broker" {
			properties = v.broker
		}
		if properties == nil {
			properties = object{}
		}
		wanted = append(wanted, rendering.Job{Dir: filepath.Join(releaseDir, "jobs", job), Properties: properties, Links: links, Spec: object{"deployment": "d"}})
	}
	rendered, err := rendering.Render(context.Background(), wanted)
	Expect(err).NotTo(HaveOccurred())
	bpm := "#!/bin/bash\ncase \"$1 $2\" in\n"
	for i, job := range jobs {
		Expect(rendered[i].Errors).To(BeEmpty())
		v.place(job, rendered[i].Files)
		if arguments := v.command(job); job != "broker" && arguments != nil {
			bpm += fmt.Sprintf("'run %s') exec '%s' ;;\n", job, strings.Join(arguments, "' '"))
		}
	}
	Expect(os.WriteFile(v.path("jobs/bpm/bin/bpm"), []byte(bpm+"esac\nexit 99\n"), 0o755)).To(Succeed())
}

func (v *vm) place(job string, files map[string]string) {
	GinkgoHelper()
	for name, text := range files {
		path := filepath.Join(v.root, "jobs", job, name)
		Expect(os.MkdirAll(filepath.Dir(path), 0o755)).To(Succeed())
		mode := os.FileMode(0o600)
		if strings.HasPrefix(name, "bin/") {
			mode = 0o755
		}
		Expect(os.WriteFile(path, []byte(strings.ReplaceAll(text, "/var/vcap", v.root)), mode)).To(Succeed())
	}
}

// command is what bpm would run for a job; nil if it has nothing to run.
func (v *vm) command(job string) []string {
	GinkgoHelper()
	text, err := os.ReadFile(filepath.Join(v.root, "jobs", job, "config", "bpm.yml"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	Expect(err).NotTo(HaveOccurred())
	var bpm struct {
		Processes []struct {
			Name, Executable string
			Args             []string
		}
	}
	Expect(json.Unmarshal(text, &bpm)).To(Succeed())
	Expect(bpm.Processes).To(HaveLen(1))
	Expect(bpm.Processes[0].Name).To(Equal(job))
	return append([]string{bpm.Processes[0].Executable}, bpm.Processes[0].Args...)
}

// ran is how a script ended.
type ran struct {
	code           int
	stdout, stderr string
}

// run runs a job's script to its end.
func (v *vm) run(job, script string) ran {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(v.root, "jobs", job, "bin", script))
	command.Env = append(os.Environ(), beODB+"=1")
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		Expect(err).NotTo(HaveOccurred())
	}
	return ran{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// startBroker does what monit and bpm do.
func (v *vm) startBroker() *program {
	GinkgoHelper()
	p := startODB(v.command("broker")[1:]...)
	Expect(os.WriteFile(v.path("sys/run/bpm/broker/broker.pid"), fmt.Appendln(nil, p.cmd.Process.Pid), 0o600)).To(Succeed())
	return p
}

// of gives the machine's broker the world's Director, adapter and plans, and makes the world's platform its own.
func (v *vm) of(w *world) *vm {
	GinkgoHelper()
	port := freePort()
	for property, value := range map[string]any{
		"port": port, "username": platformUser, "password": platformPassword,
		"bosh":                 object{"url": w.director.URL(), "root_ca_cert": w.director.CACert(), "authentication": object{"basic": object{"username": "admin", "password": "admin"}}},
		"service_adapter.path": w.adapter.Path, "service_catalog.id": serviceID,
	} {
		v.set(property, value)
	}
	plan := v.broker["service_catalog"].(map[string]any)["plans"].([]any)[0].(map[string]any)
	plan["plan_id"] = smallPlan
	w.platform = newPlatform(fmt.Sprintf("http://127.0.0.1:%d", port))
	return v
}
