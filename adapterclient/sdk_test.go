package adapterclient_test

import (
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/on-demand-broker/odb/adapterclient"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// The example is a module of its own that knows only the public SDK, as adapters outside do.
var _ = Describe("An adapter written with the public SDK", Ordered, func() {
	var path string

	BeforeAll(func(ctx SpecContext) {
		path = filepath.Join(GinkgoT().TempDir(), "cache-adapter")
		output, err := exec.CommandContext(ctx, "go", "build", "-C", "../examples/cache", "-buildvcs=false", "-o", path, ".").CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(output))
	}, NodeTimeout(5*time.Minute))

	for _, useStdin := range []bool{true, false} {
		mode := map[bool]string{true: "on stdin", false: "as arguments"}[useStdin]

		It("is served with its input "+mode, func(spec SpecContext) {
			client := newClient(adapterclient.Options{Path: path, UseStdin: useStdin})
			// Which the SDK doesn't know, and passes over.
			identity := adapterclient.OriginatingIdentity{Platform: "cloudfoundry", Value: json.RawMessage(`{"user_id":"jane"}`)}
			ctx := adapterclient.WithOriginatingIdentity(spec, identity)
			plan := cachePlan()
			plan.Update = &adapterclient.Update{Canaries: 1, MaxInFlight: "50%", CanaryWatchTime: "1-2", UpdateWatchTime: "1-2"}
			plan.InstanceGroups[0].Extra = map[string]any{"env": map[string]any{"bosh": map[string]any{}}}
			creation := adapterclient.GenerateManifest{
				ServiceDeployment: cacheDeployment(), Plan: plan, RequestParameters: json.RawMessage(`{"parameters":{"max_memory_mb":128}}`),
			}
			created, err := client.GenerateManifest(ctx, creation)
			Expect(err).NotTo(HaveOccurred())
			Expect(created.Manifest).To(And(ContainSubstring("name: service-instance_one\n"), ContainSubstring("max_memory_mb: 128\n")))

			comparison := adapterclient.GenerateManifest{
				ServiceDeployment: cacheDeployment(), Plan: plan, PreviousPlan: &plan, PreviousManifest: created.Manifest,
				RequestParameters: json.RawMessage(`{}`), PreviousSecrets: map[string]string{}, PreviousConfigs: map[string]string{},
			}
			Expect(client.GenerateManifest(ctx, comparison)).To(HaveField("Manifest", created.Manifest))

			Expect(client.DashboardURL(ctx, adapterclient.DashboardURL{InstanceID: "one", Plan: plan, Manifest: created.Manifest})).
				To(HaveSuffix("/instances/one"))

			request := adapterclient.BindingRequest{
				BindingID: "b1", Topology: map[string][]string{"cache": {"10.0.0.1"}}, Manifest: created.Manifest,
				RequestParameters: json.RawMessage(`{"app_guid":"a","parameters":{}}`),
			}
			binding, err := client.CreateBinding(ctx, request)
			Expect(err).NotTo(HaveOccurred())
			Expect(string(binding.Credentials)).To(ContainSubstring(`"host":"10.0.0.1"`))
			Expect(client.DeleteBinding(ctx, request)).To(Succeed())

			schemas, err := client.GeneratePlanSchemas(ctx, plan)
			Expect(err).NotTo(HaveOccurred())
			Expect(string(schemas.InstanceUpdate)).To(ContainSubstring("eviction_policy"))
		})
	}

	It("checks deployment and plan", func(ctx SpecContext) {
		client := newClient(adapterclient.Options{Path: path, UseStdin: true})
		noOS := cacheDeployment()
		noOS.Stemcells = nil
		noGroups := cachePlan()
		noGroups.InstanceGroups = nil
		for _, incomplete := range []adapterclient.GenerateManifest{
			{ServiceDeployment: noOS, Plan: cachePlan()},
			{ServiceDeployment: adapterclient.ServiceDeployment{Releases: cacheDeployment().Releases, Stemcells: cacheDeployment().Stemcells}, Plan: cachePlan()},
			{ServiceDeployment: cacheDeployment(), Plan: noGroups},
			{ServiceDeployment: cacheDeployment(), Plan: cachePlan(), PreviousPlan: &noGroups},
		} {
			_, err := client.GenerateManifest(ctx, incomplete)
			var exit *adapterclient.ExitError
			Expect(errors.As(err, &exit)).To(BeTrue(), "%v", err)
			Expect(exit.UserMessage).To(BeEmpty(), "it is the operator's fault, told in the log")
		}
		Expect(client.GenerateManifest(ctx, adapterclient.GenerateManifest{ServiceDeployment: cacheDeployment(), Plan: cachePlan()})).
			To(HaveField("Manifest", ContainSubstring("cache-server")))
	})

	It("refuses in words for the user", func(ctx SpecContext) {
		client := newClient(adapterclient.Options{Path: path, UseStdin: true})
		_, err := client.GenerateManifest(ctx, adapterclient.GenerateManifest{
			ServiceDeployment: cacheDeployment(), Plan: cachePlan(), RequestParameters: json.RawMessage(`{"parameters":{"size":1}}`),
		})
		var exit *adapterclient.ExitError
		Expect(errors.As(err, &exit)).To(BeTrue(), "%v", err)
		Expect(exit.Code).To(Equal(1))
		Expect(exit.UserMessage).To(Equal(`unknown parameter "size"; known ones are eviction_policy, max_memory_mb`))
	})
})
