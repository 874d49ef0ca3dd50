package adapterclient_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func cachePlan() adapterclient.Plan {
	return adapterclient.Plan{
		Properties: map[string]any{"persistence": true},
		InstanceGroups: []adapterclient.InstanceGroup{{
			Name: "cache", VMType: "small", Instances: 1, Networks: []string{"default"}, AZs: []string{"z1"},
		}},
	}
}

func cacheDeployment() adapterclient.ServiceDeployment {
	return adapterclient.ServiceDeployment{
		DeploymentName: "service-instance_one",
		Releases:       []adapterclient.Release{{Name: "cache", Version: "1.0.0", Jobs: []string{"cache-server"}}},
		Stemcells:      []adapterclient.Stemcell{{OS: "ubuntu-jammy", Version: "1.999"}},
	}
}

var _ = Describe("What the adapter answers", func() {
	for _, useStdin := range []bool{true, false} {
		mode := map[bool]string{true: "on stdin", false: "as arguments"}[useStdin]

		It("is understood for each verb, with the input "+mode, func(ctx SpecContext) {
			client := newClient(adapterclient.Options{Path: newDouble().Path, UseStdin: useStdin})
			generated, err := client.GenerateManifest(ctx, adapterclient.GenerateManifest{
				ServiceDeployment: cacheDeployment(), Plan: cachePlan(), RequestParameters: json.RawMessage(`{"parameters":{"size":10000000}}`),
			})
			Expect(err).NotTo(HaveOccurred())
			Expect(generated.Manifest).To(HavePrefix("name: service-instance_one\n"))
			Expect(generated.Manifest).To(ContainSubstring("size: 10000000\n"))

			again, err := client.GenerateManifest(ctx, adapterclient.GenerateManifest{
				ServiceDeployment: cacheDeployment(), Plan: cachePlan(), PreviousManifest: generated.Manifest, RequestParameters: json.RawMessage(`{}`),
			})
			Expect(err).NotTo(HaveOccurred())
			Expect(again.Manifest).To(Equal(generated.Manifest))

			url, err := client.DashboardURL(ctx, adapterclient.DashboardURL{InstanceID: "one", Plan: cachePlan(), Manifest: generated.Manifest})
			Expect(err).NotTo(HaveOccurred())
			Expect(url).To(Equal("https://dashboard.example/one"))

			request := adapterclient.BindingRequest{BindingID: "b1", Topology: map[string][]string{"cache": {"10.0.0.1"}}, Manifest: generated.Manifest}
			binding, err := client.CreateBinding(ctx, request)
			Expect(err).NotTo(HaveOccurred())
			var credentials map[string]any
			Expect(json.Unmarshal(binding.Credentials, &credentials)).To(Succeed())
			Expect(credentials).To(HaveKeyWithValue("binding_id", "b1"))
			Expect(credentials).To(HaveKeyWithValue("topology", HaveKeyWithValue("cache", ConsistOf("10.0.0.1"))))
			Expect(client.DeleteBinding(ctx, request)).To(Succeed())

			schemas, err := client.GeneratePlanSchemas(ctx, cachePlan())
			Expect(err).NotTo(HaveOccurred())
			for _, schema := range []json.RawMessage{schemas.InstanceCreate, schemas.InstanceUpdate, schemas.BindingCreate} {
				Expect(string(schema)).To(ContainSubstring(`"$schema":"http://json-schema.org/draft-04/schema#"`))
			}
		})
	}

	It("may carry secrets, configs and labels beside the manifest", func(ctx SpecContext) {
		double := newDouble()
		steer(double, adapterclient.VerbGenerateManifest, adaptertest.Steering{
			Manifest: "name: {{deployment}}\n",
			Secrets:  map[string]any{"password": "s3cret", "user": map[string]any{"n": 1}},
			Configs:  map[string]any{"cloud": "vm_types: []"},
			Labels:   map[string]any{"region": "north"},
		})
		client := newClient(adapterclient.Options{Path: double.Path, UseStdin: true})
		generated, err := client.GenerateManifest(ctx, adapterclient.GenerateManifest{ServiceDeployment: cacheDeployment()})
		Expect(err).NotTo(HaveOccurred())
		Expect(generated.Manifest).To(Equal("name: service-instance_one\n"))
		Expect(generated.Secrets).To(HaveKeyWithValue("password", json.RawMessage(`"s3cret"`)))
		Expect(generated.Secrets).To(HaveKeyWithValue("user", json.RawMessage(`{"n":1}`)))
		Expect(generated.Configs).To(Equal(map[string]string{"cloud": "vm_types: []"}))
		Expect(generated.Labels).To(HaveKeyWithValue("region", json.RawMessage(`"north"`)))
	})

	DescribeTable("exit codes are facts", func(ctx SpecContext, code int, fact error) {
		double := newDouble()
		steer(double, adapterclient.VerbCreateBinding, adaptertest.Steering{ExitCode: code, Stdout: "for the user: é\n", Stderr: "for the operator\n"})
		client := newClient(adapterclient.Options{Path: double.Path, UseStdin: true})
		_, err := client.CreateBinding(ctx, adapterclient.BindingRequest{})
		var exit *adapterclient.ExitError
		Expect(errors.As(err, &exit)).To(BeTrue(), "%v", err)
		Expect(*exit).To(Equal(adapterclient.ExitError{Verb: "create-binding", Code: code, UserMessage: "for the user: é\n"}))
		Expect(err.Error()).NotTo(ContainSubstring("for the"))
		for _, possible := range []error{
			adapterclient.ErrNotImplemented, adapterclient.ErrBindingNotFound, adapterclient.ErrAppGUIDMissing,
			adapterclient.ErrBindingExists, adapterclient.ErrTimeout, adapterclient.ErrOutput,
		} {
			Expect(errors.Is(err, possible)).To(Equal(possible == fact), "%v", possible)
		}
	},
		Entry("failed", 1, nil),
		Entry("not implemented", 10, adapterclient.ErrNotImplemented),
		Entry("binding not found", 41, adapterclient.ErrBindingNotFound),
		Entry("app GUID missing", 42, adapterclient.ErrAppGUIDMissing),
		Entry("binding exists", 49, adapterclient.ErrBindingExists),
		Entry("any other", 2, nil),
		Entry("the greatest", 255, nil),
	)

	It("is code -1 and the signal when something else killed it", func(ctx SpecContext) {
		double := newDouble()
		steer(double, adapterclient.VerbDeleteBinding, adaptertest.Steering{Signal: syscall.SIGKILL})
		client := newClient(adapterclient.Options{Path: double.Path, UseStdin: true})
		var exit *adapterclient.ExitError
		Expect(errors.As(client.DeleteBinding(ctx, adapterclient.BindingRequest{}), &exit)).To(BeTrue())
		Expect(*exit).To(Equal(adapterclient.ExitError{Verb: "delete-binding", Code: -1, Signal: syscall.SIGKILL}))
		Expect(exit.Error()).To(ContainSubstring("signal 9"))
	})

	It("is cut to 64 KiB when it is a text for the user", func(ctx SpecContext) {
		double := newDouble()
		steer(double, adapterclient.VerbDeleteBinding, adaptertest.Steering{ExitCode: 1, FloodStdout: 100 << 10})
		client := newClient(adapterclient.Options{Path: double.Path, UseStdin: true})
		var exit *adapterclient.ExitError
		Expect(errors.As(client.DeleteBinding(ctx, adapterclient.BindingRequest{}), &exit)).To(BeTrue())
		Expect(exit.UserMessage).To(HaveLen(64 << 10))
	})

	DescribeTable("rubbish is refused", func(ctx SpecContext, output string) {
		double := newDouble()
		steer(double, adapterclient.VerbGenerateManifest, adaptertest.Steering{Stdout: output})
		client := newClient(adapterclient.Options{Path: double.Path, UseStdin: true})
		_, err := client.GenerateManifest(ctx, adapterclient.GenerateManifest{})
		Expect(err).To(MatchError(adapterclient.ErrOutput))
	},
		Entry("YAML, as in the old protocol", "name: service-instance_one\n"),
		Entry("a log line before the JSON", "generating\n{\"manifest\":\"name: x\"}"),
		Entry("bytes", "\x00\xff\xfe"),
	)

	It("has no meaning on success of delete-binding", func(ctx SpecContext) {
		double := newDouble()
		steer(double, adapterclient.VerbDeleteBinding, adaptertest.Steering{Stdout: "bye"})
		client := newClient(adapterclient.Options{Path: double.Path, UseStdin: true})
		Expect(client.DeleteBinding(ctx, adapterclient.BindingRequest{})).To(Succeed())
	})
})

var _ = Describe("An adapter that can't be started", func() {
	start := func(ctx SpecContext, path string) error {
		GinkgoHelper()
		err := newClient(adapterclient.Options{Path: path, UseStdin: true}).DeleteBinding(ctx, adapterclient.BindingRequest{})
		var start *adapterclient.StartError
		Expect(errors.As(err, &start)).To(BeTrue(), "%v", err)
		Expect(start.Verb).To(Equal("delete-binding"))
		Expect(err.Error()).To(ContainSubstring(path))
		return err
	}
	file := func(mode os.FileMode, text string) string {
		GinkgoHelper()
		path := filepath.Join(GinkgoT().TempDir(), "adapter")
		Expect(os.WriteFile(path, []byte(text), mode)).To(Succeed())
		return path
	}

	It("isn't there", func(ctx SpecContext) {
		Expect(start(ctx, filepath.Join(GinkgoT().TempDir(), "gone"))).To(MatchError(fs.ErrNotExist))
	})
	It("may not be executed", func(ctx SpecContext) {
		Expect(start(ctx, file(0o600, "#!/bin/sh\n"))).To(MatchError(fs.ErrPermission))
	})
	It("is no program", func(ctx SpecContext) {
		Expect(start(ctx, file(0o700, "just a text"))).To(MatchError(syscall.ENOEXEC))
	})
	It("would get more arguments than the system allows", func(ctx SpecContext) {
		client := newClient(adapterclient.Options{Path: newDouble().Path})
		err := client.DeleteBinding(ctx, adapterclient.BindingRequest{Manifest: strings.Repeat("x", 8<<20)})
		Expect(err).To(MatchError(syscall.E2BIG))
		Expect(len(err.Error())).To(BeNumerically("<", 1000))
	})
})
