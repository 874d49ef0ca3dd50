// Package kubernetes_test checks the manifest in this folder, and the Containerfile, by running what they say would run.
package kubernetes_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/on-demand-broker/odb/config"
)

// object is as much of a Kubernetes object as is looked at here.
type object struct {
	Kind string
	Data map[string]string `yaml:"stringData"`
	Spec struct {
		Replicas    int
		Template    struct{ Spec podSpec }
		Ports       []port
		PolicyTypes []string `yaml:"policyTypes"`
		Ingress     []struct{ Ports []port }
		Egress      []struct {
			To []struct {
				IPBlock struct{ CIDR string } `yaml:"ipBlock"`
			}
			Ports []port
		}
		MinAvailable int `yaml:"minAvailable"`
	}
}

type podSpec struct {
	AutomountServiceAccountToken  *bool       `yaml:"automountServiceAccountToken"`
	TerminationGracePeriodSeconds int         `yaml:"terminationGracePeriodSeconds"`
	InitContainers                []container `yaml:"initContainers"`
	Containers                    []container
	SecurityContext               struct {
		RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
		RunAsUser      int                   `yaml:"runAsUser"`
		SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	Volumes []struct {
		Name   string
		Secret struct {
			SecretName string `yaml:"secretName"`
		}
		EmptyDir map[string]any `yaml:"emptyDir"`
	}
}

type container struct {
	Name            string
	Command, Args   []string
	Ports           []port
	LivenessProbe   probe `yaml:"livenessProbe"`
	ReadinessProbe  probe `yaml:"readinessProbe"`
	SecurityContext struct {
		AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
		Capabilities             struct{ Drop []string }
	} `yaml:"securityContext"`
	Lifecycle struct {
		PreStop struct{ Sleep struct{ Seconds int } } `yaml:"preStop"`
	}
	Resources struct {
		Requests map[string]string
		Limits   map[string]string
	}
	VolumeMounts []mount `yaml:"volumeMounts"`
}

type mount struct {
	Name      string
	MountPath string `yaml:"mountPath"`
}

type probe struct {
	HTTPGet struct{ Path, Scheme string } `yaml:"httpGet"`
}

type port struct {
	Name          string
	Port          int
	ContainerPort int    `yaml:"containerPort"`
	TargetPort    string `yaml:"targetPort"`
}

// manifest gives the objects of odb.yml by their kind, of which there is one each.
func manifest(t *testing.T) map[string]object {
	t.Helper()
	text, err := os.ReadFile("odb.yml")
	if err != nil {
		t.Fatal(err)
	}
	objects := map[string]object{}
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var o object
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := objects[o.Kind]; twice {
			t.Fatalf("there are two of kind %s", o.Kind)
		}
		objects[o.Kind] = o
	}
}

// brokerConfig gives the broker's configuration in the manifest, and its text.
func brokerConfig(t *testing.T, objects map[string]object) (*config.Config, string) {
	t.Helper()
	text := objects["Secret"].Data["broker.yml"]
	c, problems, err := config.Parse("odb.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s", problem)
	}
	return c, text
}

func TestTheManifestFitsTheConfigurationInIt(t *testing.T) {
	objects := manifest(t)
	c, _ := brokerConfig(t, objects)
	pod := objects["Deployment"].Spec.Template.Spec
	broker := pod.Containers[0]

	if replicas := objects["Deployment"].Spec.Replicas; replicas != 2 || !c.Broker.SideBySide {
		t.Errorf("there are %d brokers, and side_by_side is %v", replicas, c.Broker.SideBySide)
	}
	if !c.Broker.UseStdin {
		t.Error("secrets would be passed to the adapter as arguments")
	}
	stopping := broker.Lifecycle.PreStop.Sleep.Seconds + int(c.Broker.ShutdownTimeout.Seconds())
	if pod.TerminationGracePeriodSeconds <= stopping {
		t.Errorf("the broker is given %d s to stop, and may take %d", pod.TerminationGracePeriodSeconds, stopping)
	}
	if listens := broker.Ports[0].ContainerPort; listens != c.Broker.Port {
		t.Errorf("the container's port is %d, the broker's %d", listens, c.Broker.Port)
	}
	if lets := objects["NetworkPolicy"].Spec.Ingress[0].Ports[0].Port; lets != c.Broker.Port {
		t.Errorf("the policy lets port %d in, the broker's is %d", lets, c.Broker.Port)
	}
	if target := objects["Service"].Spec.Ports[0].TargetPort; target != broker.Ports[0].Name {
		t.Errorf("the service leads to %q", target)
	}
	if minimum := objects["PodDisruptionBudget"].Spec.MinAvailable; minimum != 1 {
		t.Errorf("the budget keeps %d brokers", minimum)
	}
	for _, file := range []string{c.Broker.TLS.CertFile, c.Broker.TLS.KeyFile, c.ServiceAdapter.Path, broker.Args[len(broker.Args)-1]} {
		if !slices.ContainsFunc(broker.VolumeMounts, func(m mount) bool { return m.MountPath == path.Dir(file) }) {
			t.Errorf("nothing is mounted where %s is looked for", file)
		}
	}
	if copied := pod.InitContainers[0].Command; copied[len(copied)-1] != c.ServiceAdapter.Path {
		t.Errorf("the adapter is copied by %q and looked for at %s", copied, c.ServiceAdapter.Path)
	}
}

func TestThePolicyLetsTheBrokerReachItsDirector(t *testing.T) {
	objects := manifest(t)
	c, _ := brokerConfig(t, objects)
	policy := objects["NetworkPolicy"].Spec
	if !slices.Equal(policy.PolicyTypes, []string{"Ingress", "Egress"}) {
		t.Errorf("it is a policy for %q", policy.PolicyTypes)
	}
	for _, rule := range policy.Egress {
		for _, to := range rule.To {
			address, _, _ := strings.Cut(to.IPBlock.CIDR, "/")
			for _, port := range rule.Ports {
				if address != "" && port.Port == 25555 && strings.Contains(c.BOSH.URL, "//"+address+":25555") {
					return
				}
			}
		}
	}
	t.Errorf("it doesn't let the broker out to %s", c.BOSH.URL)
}

func TestContainersMayDoNothingButRun(t *testing.T) {
	pod := manifest(t)["Deployment"].Spec.Template.Spec
	if token := pod.AutomountServiceAccountToken; token == nil || *token {
		t.Error("the containers get a token for Kubernetes")
	}
	if s := pod.SecurityContext; !s.RunAsNonRoot || s.RunAsUser == 0 || s.SeccompProfile.Type != "RuntimeDefault" {
		t.Errorf("the pod's security context is %+v", s)
	}
	volumes := map[string]bool{}
	for _, volume := range pod.Volumes {
		volumes[volume.Name] = true
		if sized := volume.EmptyDir["sizeLimit"]; volume.Secret.SecretName == "" && sized == nil {
			t.Errorf("the volume %s has no limit", volume.Name)
		}
	}
	for _, c := range append(pod.InitContainers, pod.Containers...) {
		s := c.SecurityContext
		if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || !s.ReadOnlyRootFilesystem || !slices.Equal(s.Capabilities.Drop, []string{"ALL"}) {
			t.Errorf("%s: the security context is %+v", c.Name, s)
		}
		if c.Resources.Requests["cpu"] == "" || c.Resources.Requests["memory"] == "" || c.Resources.Limits["memory"] == "" {
			t.Errorf("%s: the resources are %+v", c.Name, c.Resources)
		}
		for _, mount := range c.VolumeMounts {
			if !volumes[mount.Name] {
				t.Errorf("%s: there is no volume %s", c.Name, mount.Name)
			}
		}
	}
}

// The image's last stage has nothing in it that could run but the program, which a number's user runs without a shell.
func TestTheImageHasNoShellAndNoRoot(t *testing.T) {
	build, last := stages(t)[0], lastStage(t)
	if !strings.HasPrefix(last, "scratch\n") || strings.Contains(last, "\nRUN ") {
		t.Error("the last stage isn't made of scratch and what is copied alone")
	}
	if !strings.Contains(build, "CGO_ENABLED=0 go build") {
		t.Error("the program isn't built static")
	}
	if !regexp.MustCompile(`(?m)^USER [1-9]\d*:[1-9]\d*$`).MatchString(last) {
		t.Error("the user isn't a number that isn't root's")
	}
	if entrypoint := instruction(t, last, "ENTRYPOINT"); len(entrypoint) != 1 || !strings.Contains(build, "-o /rootfs"+entrypoint[0]+" ") {
		t.Errorf("the entrypoint %q isn't what is built", entrypoint)
	}
}

// stages gives the Containerfile's stages, each without its FROM.
func stages(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?m)^FROM `).Split(string(text), -1)[1:]
}

func lastStage(t *testing.T) string {
	t.Helper()
	all := stages(t)
	return all[len(all)-1]
}

// instruction gives an instruction's arguments in their exec form, which needs no shell.
func instruction(t *testing.T, stage, name string) []string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + name + ` (\[.*\])$`).FindStringSubmatch(stage)
	if found == nil {
		t.Fatalf("there is no %s of the form [\"…\"]", name)
	}
	var arguments []string
	if err := yaml.Unmarshal([]byte(found[1]), &arguments); err != nil {
		t.Fatal(err)
	}
	return arguments
}
