package main

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/devdirector"
	"github.com/on-demand-broker/odb/secrets/credhubtest"
	"github.com/on-demand-broker/odb/uaaclients/uaatest"
)

// examples are service adapters with a broker.yml each, made with the public SDK as an author outside would make them.
const examples = "../../examples/"

// buildExample compiles an example's adapter into a folder.
func buildExample(ctx context.Context, name, dir string) (path string) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, buildPatience)
	defer cancel()
	path = filepath.Join(dir, name)
	output, err := exec.CommandContext(ctx, "go", "build", "-C", examples+name, "-buildvcs=false", "-o", path, ".").CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(output))
	return path
}

// section finds a top-level section of a configuration, to its last line.
func section(name string) *regexp.Regexp {
	return regexp.MustCompile(`(?m)^` + name + `:\n(?:(?:[ #].*)?\n)*`)
}

// withSection puts a section in the place of the configuration's own.
func withSection(name, text string) setting {
	return setting{config: func(yaml string) string {
		GinkgoHelper()
		Expect(section(name).FindString(yaml)).NotTo(BeEmpty())
		return section(name).ReplaceAllLiteralString(yaml, text+"\n")
	}}
}

// servingExample is an example's broker.yml, with the story's Director, the stories' ids, and the compiled adapter. The
// examples' ids end in 000 (the offering's), 001 and 002 (the plans').
func servingExample(name, adapter string) setting {
	return setting{config: func(yaml string) string {
		GinkgoHelper()
		text, err := os.ReadFile(examples + name + "/broker.yml")
		Expect(err).NotTo(HaveOccurred())
		found := regexp.MustCompile(`  id: (\S+)000\n`).FindStringSubmatch(string(text))
		Expect(found).To(HaveLen(2))
		id := found[1]
		example := strings.NewReplacer(
			"username: broker", "username: "+platformUser, "password: broker", "password: "+platformPassword,
			"path: bin/"+name+"-adapter", "path: "+adapter,
			id+"000", serviceID, id+"001", smallPlan, id+"002", largePlan,
		).Replace(string(text))
		return withSection("bosh", section("bosh").FindString(yaml)).config(example)
	}}
}

// servingCacheSecure is servingExample for the example that needs a CredHub and a UAA.
func servingCacheSecure(adapter string, credhub *credhubtest.CredHub, uaa *uaatest.Server) []setting {
	return []setting{
		strictDirector, servingExample("cache-secure", adapter),
		withSection("bosh_credhub", "bosh_credhub:\n  url: "+credhub.URL+"/api\n  root_ca_cert: |\n    "+indented(credhub.CACert)+"\n    "+indented(credhub.UAACACert)+
			"\n  authentication: {uaa: {client_credentials: {client_id: odb, client_secret: odb-s3cret}}}"),
		with("https://uaa.sys.example.com", uaa.URL()), with("client_secret: replace-me", "client_secret: odb-secret"),
		with("  url: https://api.sys.example.com", "  url: https://api.sys.example.com\n  root_ca_cert: |\n    "+indented(uaa.CACert())),
	}
}

// strictDirector knows what the examples' plans name, and nothing else.
var strictDirector = setting{director: func(o *devdirector.Options) {
	o.CloudConfig = `
azs: [{name: z1}, {name: z2}, {name: z3}]
vm_types: [{name: default}, {name: large}]
disk_types: [{name: default}]
networks:
- {name: default, type: manual, subnets: [{azs: [z1, z2, z3]}]}
- {name: caches, type: manual, subnets: [{azs: [z1, z2, z3]}]}
`
	o.Releases = []devdirector.Release{
		{Name: "cache", Version: "1.0.0", Jobs: []string{"cache-server"}},
		{Name: "cache-secure", Version: "1.0.0", Jobs: []string{"cache-server", "health-check", "clean-up"}, ErrandJobs: []string{"health-check", "clean-up"}},
	}
	o.Stemcells = []devdirector.Stemcell{{Name: "jammy", OS: "ubuntu-jammy", Version: "1.999"}, {Name: "jammy", OS: "ubuntu-jammy", Version: "1.1000"}}
}}

// rollOut is what an operator changes so that instances need an upgrade.
var rollOut = setting{config: func(yaml string) string {
	GinkgoHelper()
	return with("maintenance_info:\n    version: 1.0.0", "maintenance_info:\n    version: 2.0.0").config(newStemcell.config(yaml))
}}

// cloudFoundryAsks is what Cloud Foundry says of an instance beside its plan.
var cloudFoundryAsks = object{
	"space_guid": "space-1", "maintenance_info": object{"version": "1.0.0"}, "parameters": object{"max_memory_mb": 300},
	"context": object{"platform": "cloudfoundry", "instance_name": "my-cache", "space_guid": "space-1"},
}

func (w *world) manifest(instanceID string) string {
	GinkgoHelper()
	deployed, err := w.directorClient().Deployment(context.Background(), "service-instance_"+instanceID)
	Expect(err).NotTo(HaveOccurred())
	return deployed.Manifest
}

// credentials are what an app of the instance gets.
func (w *world) credentials(instanceID, bindingID, plan string) object {
	GinkgoHelper()
	a := w.platform.bind(instanceID, bindingID, object{"plan_id": plan})
	Expect(a.status).To(Equal(http.StatusCreated), a.text)
	return a.body["credentials"].(object)
}

// succeeds follows an operation to its good end, in which it runs so many errands.
func (w *world) succeeds(instanceID string, errands int, begin func() answer) {
	GinkgoHelper()
	Expect(w.ends(instanceID, errands, begin)).To(Equal("succeeded"))
}

func (w *world) ends(instanceID string, errands int, begin func() answer) string {
	GinkgoHelper()
	w.director.ResetStats()
	a := begin()
	Expect(a.status).To(Equal(http.StatusAccepted), a.text)
	operation := a.operation()
	if operation == "" { // the management API answers with the operation itself
		operation = a.text
	}
	state := w.platform.follow(instanceID, operation)
	Expect(w.director.Stats().Tasks[devdirector.KindErrand]).To(Equal(errands), "errands that ran")
	return state
}

// nothingLeft asks the platform and looks at the Director.
func (w *world) nothingLeft(instanceID string) {
	GinkgoHelper()
	Expect(w.platform.deprovision(instanceID).status).To(Equal(http.StatusGone))
	deployments, err := w.directorClient().Deployments(context.Background())
	Expect(err).NotTo(HaveOccurred())
	Expect(deployments).To(BeEmpty())
	Expect(w.configs(instanceID)).To(BeEmpty())
}

// wholeLife leads an instance through everything that can be asked of it. Each user's update is also a check that the
// adapter makes the same manifest twice: it would be refused for pending changes otherwise.
func (w *world) wholeLife(id string, errands int, restart func(...setting), bound func(credentials object)) {
	GinkgoHelper()
	w.succeeds(id, errands, func() answer { return w.platform.provision(id, cloudFoundryAsks) })
	first := w.credentials(id, "b-1", smallPlan)
	bound(first)
	Expect(w.manifest(id)).To(ContainSubstring("max_memory_mb: 300"))

	By("updating")
	refused := w.platform.update(id, object{"parameters": object{"max_memory": 1}})
	Expect(refused.status).To(BeNumerically(">=", 400))
	Expect(refused.description()).To(ContainSubstring("max_memory"))
	w.succeeds(id, errands, func() answer { return w.platform.update(id, object{"parameters": object{"max_memory_mb": 400}}) })
	Expect(w.manifest(id)).To(ContainSubstring("max_memory_mb: 400"))

	By("moving to the bigger plan")
	large := object{"plan_id": largePlan, "previous_values": object{"plan_id": largePlan}}
	w.succeeds(id, errands, func() answer { return w.platform.update(id, object{"plan_id": largePlan}) })
	Expect(w.manifest(id)).To(And(ContainSubstring("instances: 3"), ContainSubstring("max_memory_mb: 400")))
	second := w.credentials(id, "b-2", largePlan)
	bound(second)
	again := w.platform.bind(id, "b-1", object{"plan_id": smallPlan})
	Expect(again.status).To(Equal(http.StatusOK), again.text)
	Expect(again.body["credentials"]).To(HaveKeyWithValue("password", first["password"]), "updates leave credentials as they are")

	By("upgrading to what the operator rolls out")
	restart(rollOut)
	Expect(w.platform.update(id, merged(large, object{"parameters": object{"max_memory_mb": 500}})).status).To(Equal(http.StatusUnprocessableEntity), "there are pending changes")
	pending := w.platform.manage("GET", "/service_instances/"+id+"/pending_changes", nil)
	Expect(pending.body).To(HaveKeyWithValue("pending_changes", true), pending.text)
	Expect(pending.text).To(And(ContainSubstring("1.1000"), Not(ContainSubstring(first["password"].(string)))))
	upgrade := object{"maintenance_info": object{"version": "2.0.0"}, "previous_values": object{"plan_id": largePlan, "maintenance_info": object{"version": "1.0.0"}}}
	w.succeeds(id, errands, func() answer { return w.platform.update(id, merged(large, upgrade)) })
	Expect(w.manifest(id)).To(And(ContainSubstring("version: \"1.1000\""), ContainSubstring("max_memory_mb: 400")))
	onPlan := object{"plan_id": largePlan, "context": object{"space_guid": "space-1"}}
	upToDate := w.platform.manage("PATCH", "/service_instances/"+id+"?operation_type=upgrade", onPlan)
	Expect(upToDate.status).To(Equal(http.StatusNoContent), upToDate.text)
	Expect(w.platform.manage("GET", "/service_instances/"+id+"/pending_changes", nil).body).To(HaveKeyWithValue("pending_changes", false))
	w.succeeds(id, errands, func() answer {
		return w.platform.update(id, merged(large, object{"parameters": object{"max_memory_mb": 500}}))
	})

	By("recreating")
	before := w.manifest(id)
	w.succeeds(id, errands, func() answer {
		return w.platform.manage("PATCH", "/service_instances/"+id+"?operation_type=recreate", onPlan)
	})
	Expect(w.manifest(id)).To(Equal(before))
	bound(w.credentials(id, "b-3", largePlan))

	By("taking it all back")
	for _, binding := range []string{"b-1", "b-2", "b-3"} {
		a := w.platform.unbind(id, binding)
		Expect(a.status).To(Equal(http.StatusOK), a.text)
	}
	w.succeeds(id, errands, func() answer { return w.platform.deprovision(id) })
}

var _ = Describe("adapters that strangers wrote", Ordered, ContinueOnFailure, func() {
	var cache, cacheSecure string // the executables
	BeforeAll(func(ctx SpecContext) {
		dir, err := os.MkdirTemp("", "odb-examples-*")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(os.RemoveAll, dir)
		cache, cacheSecure = buildExample(ctx, "cache", dir), buildExample(ctx, "cache-secure", dir)
	})

	Describe("one with a manifest and credentials", func() {
		var changes []setting
		BeforeEach(func() {
			changes = []setting{
				strictDirector, servingExample("cache", cache),
				with("  use_stdin: true", "  use_stdin: true\n  enable_plan_schemas: true"),
				with("  plans:", "  maintenance_info:\n    version: 1.0.0\n  plans:"),
			}
		})

		It("goes through an instance's whole life", func() {
			w := newWorld(changes...)
			w.wholeLife(guid, 0, func(more ...setting) { w.serve(append(changes, more...)...) }, func(credentials object) {
				GinkgoHelper()
				Expect(credentials["password"]).To(MatchRegexp(`^\w{20,}$`))
				Expect(credentials["hosts"]).NotTo(BeEmpty())
			})
			w.nothingLeft(guid)
		})

		It("goes through it by the old protocol, too", func() {
			old := append(changes, with("use_stdin: true", "use_stdin: false"))
			w := newWorld(old...)
			w.wholeLife(guid, 0, func(more ...setting) { w.serve(append(old, more...)...) }, func(credentials object) {
				GinkgoHelper()
				Expect(credentials["password"]).To(MatchRegexp(`^\w{20,}$`))
			})
			w.nothingLeft(guid)
		})

		It("is deleted by force", func() {
			w := newWorld(changes...)
			w.succeeds(guid, 0, func() answer { return w.platform.provision(guid, cloudFoundryAsks) })
			w.succeeds(guid, 0, func() answer { return w.forceDelete(guid) })
			w.nothingLeft(guid)
		})
	})

	Describe("one with secrets, configs, errands, a UAA client and DNS", func() {
		const paths = "/odb/" + serviceID + "/service-instance_" + guid + "/"
		var credhub *credhubtest.CredHub
		var uaa *uaatest.Server
		var changes []setting
		BeforeEach(func() {
			credhub = credhubtest.Start(credhubtest.Options{})
			DeferCleanup(credhub.Close)
			uaa = uaatest.Start(uaatest.Options{ClientID: "odb", ClientSecret: "odb-secret", Scopes: []string{"clients.read", "clients.write"}})
			DeferCleanup(uaa.Close)
			changes = servingCacheSecure(cacheSecure, credhub, uaa)
		})
		nothingLeft := func(w *world) {
			GinkgoHelper()
			w.nothingLeft(guid)
			Expect(credhub.Names()).To(BeEmpty())
			Expect(uaa.ClientIDs()).To(BeEmpty())
		}
		restarted := func(w *world) func(...setting) {
			return func(more ...setting) { w.serve(append(changes, more...)...) }
		}

		It("goes through an instance's whole life", func() {
			w := newWorld(changes...)
			w.wholeLife(guid, 1, restarted(w), func(credentials object) {
				GinkgoHelper()
				_, password := credhub.Value(paths + "password-1")
				Expect(password).To(MatchRegexp(`\w{20,}`))
				Expect(password).To(ContainSubstring(credentials["password"].(string)))
				Expect(credentials["host"]).To(MatchRegexp(`^q-s3\.cache\.(default|caches)\.service-instance_` + guid + `\.bosh$`))
				Expect(w.manifest(guid)).NotTo(ContainSubstring(credentials["password"].(string)))
			})
			nothingLeft(w)
		})

		It("has what it asked for beside the deployment", func() {
			w := newWorld(changes...)
			w.succeeds(guid, 1, func() answer {
				a := w.platform.provision(guid, cloudFoundryAsks)
				Expect(a.body).To(HaveKeyWithValue("metadata", object{"labels": object{"cache-secure.example.com/nodes": "1"}}))
				return a
			})
			const extension = "service-instance_" + guid + "-security-groups"
			Expect(w.configs(guid)).To(HaveKeyWithValue("cloud", ContainSubstring("name: "+extension)))
			Expect(w.manifest(guid)).To(ContainSubstring("- " + extension))

			client, found := uaa.Client(guid)
			Expect(found).To(BeTrue())
			Expect(client.RedirectURI).To(ConsistOf("https://cache.example.com/instances/" + guid))
			Expect(client.Scopes).To(ConsistOf("openid", "cache.space-1.admin"))
			Expect(credhub.Names()).To(ConsistOf(paths+"password-1", HavePrefix(paths+"dashboard-client-secret-")))
			_, reference, _ := cutAround(w.manifest(guid), "(("+paths+"dashboard-", "))")
			_, secret := credhub.Value(paths + "dashboard-" + reference)
			Expect(secret).To(ContainSubstring(client.Secret))

			By("moving to a plan that has no need of the config")
			w.succeeds(guid, 1, func() answer { return w.platform.update(guid, object{"plan_id": largePlan}) })
			Expect(w.configs(guid)).NotTo(HaveKey("cloud"))
			Expect(w.log.String()).NotTo(Or(ContainSubstring(client.Secret), ContainSubstring(w.credentials(guid, "b-1", largePlan)["password"].(string))))
		})

		It("gives apps the password of what runs while it is rotated", func() {
			w := newWorld(changes...)
			w.succeeds(guid, 1, func() answer { return w.platform.provision(guid, cloudFoundryAsks) })
			old := w.credentials(guid, "b-1", smallPlan)["password"]

			restarted(w)(with("password_name: password-1", "password_name: password-2"))
			w.director.AddOutcome(devdirector.Outcome{Kind: devdirector.KindDeploy, Times: 1, Error: &devdirector.TaskError{Code: 450001, Message: "cache/0 is not running after update"}})
			Expect(w.ends(guid, 0, func() answer { return w.platform.upgrade(guid) })).To(Equal("failed"))
			Expect(w.credentials(guid, "b-2", smallPlan)["password"]).To(Equal(old))

			w.succeeds(guid, 1, func() answer { return w.platform.upgrade(guid) })
			Expect(w.credentials(guid, "b-3", smallPlan)["password"]).NotTo(Equal(old))
			Expect(w.platform.upgrade(guid).status).To(Equal(http.StatusNoContent))
			w.succeeds(guid, 1, func() answer { return w.platform.update(guid, object{"parameters": object{"max_memory_mb": 600}}) })
			w.succeeds(guid, 1, func() answer { return w.platform.deprovision(guid) })
			nothingLeft(w)
		})

		It("is deleted by force when the clean-up fails", func() {
			w := newWorld(changes...)
			w.succeeds(guid, 1, func() answer { return w.platform.provision(guid, cloudFoundryAsks) })
			w.director.SetErrand("clean-up", devdirector.Errand{ExitCode: 1})
			Expect(w.ends(guid, 1, func() answer { return w.platform.deprovision(guid) })).To(Equal("failed"))
			Expect(w.manifest(guid)).NotTo(BeEmpty())
			Expect(w.credentials(guid, "b-1", smallPlan)).To(HaveKey("password"))
			w.succeeds(guid, 1, func() answer { return w.forceDelete(guid) })
			nothingLeft(w)
		})

		It("leaves nothing when its deployment was deleted behind the broker's back", func() {
			w := newWorld(changes...)
			w.succeeds(guid, 1, func() answer { return w.platform.provision(guid, cloudFoundryAsks) })
			_, err := w.directorClient().DeleteDeployment(context.Background(), boshclient.DeleteDeployment{Name: "service-instance_" + guid})
			Expect(err).NotTo(HaveOccurred())
			Expect(w.configs(guid)).NotTo(BeEmpty())
			Expect(credhub.Names()).NotTo(BeEmpty())
			Expect(uaa.ClientIDs()).To(ContainElement(guid))

			a := w.platform.deprovision(guid)
			Expect(a.status).To(Equal(http.StatusGone), a.text)
			Expect(a.text).To(MatchJSON(`{}`))
			Expect(w.configs(guid)).To(BeEmpty())
			Expect(credhub.Names()).To(BeEmpty())
			Expect(uaa.ClientIDs()).To(BeEmpty())
		})

		It("leaves nothing when the first deploy fails and the platform cleans up", func() {
			w := newWorld(changes...)
			w.director.AddOutcome(devdirector.Outcome{Kind: devdirector.KindDeploy, Times: 1, Error: &devdirector.TaskError{Code: 450001, Message: "cache/0 is not running after update"}})
			Expect(w.ends(guid, 0, func() answer { return w.platform.provision(guid, cloudFoundryAsks) })).To(Equal("failed"))
			w.succeeds(guid, 0, func() answer { return w.platform.deprovision(guid) })
			nothingLeft(w)
		})

		It("leaves nothing when the Director refuses the first deploy and the platform cleans up", func() {
			w := newWorld(changes...)
			Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultStatus, Method: "POST", Path: "/deployments$", Status: 400, Body: `{"code":440001,"description":"no"}`})).To(Succeed())
			Expect(w.platform.provision(guid, cloudFoundryAsks).status).To(Equal(http.StatusInternalServerError))
			nothingLeft(w)
		})
	})
})

func (w *world) forceDelete(instanceID string) answer {
	GinkgoHelper()
	return w.platform.do("DELETE", instancePath(instanceID)+"?force=true&accepts_incomplete=true&"+planQuery(smallPlan), nil)
}
