package boshclient_test

import (
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/devdirector"
)

const manifest = `---
name: si-1
releases: [{name: cache, version: "1"}]
stemcells: [{alias: default, os: ubuntu-noble, version: "1"}]
update: {canaries: 1, max_in_flight: 1, canary_watch_time: 1000, update_watch_time: 1000}
instance_groups:
- name: server
  azs: [z1]
  instances: 2
  vm_type: small
  stemcell: default
  networks: [{name: default}]
  jobs:
  - name: server
    release: cache
    provides: {server: {as: server, shared: true}}
  - {name: smoke, release: cache}
variables:
- {name: admin-pw, type: password}
`

func startDirector(change func(*devdirector.Options)) (*devdirector.Director, *boshclient.Client) {
	GinkgoHelper()
	options := devdirector.Options{TLS: true, UAA: &devdirector.UAAOptions{Clients: map[string]devdirector.UAAClient{
		"broker": {Secret: "client-s3cret", Scopes: []string{"bosh.admin"}},
	}}}
	change(&options)
	director, err := devdirector.Start(options)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(director.Close)
	client, err := boshclient.New(boshclient.Options{
		URL: director.URL(), CACert: director.CACert(), ClientID: "broker", ClientSecret: "client-s3cret",
	})
	Expect(err).NotTo(HaveOccurred())
	boshclient.HurryUp(client)
	DeferCleanup(client.Close)
	return director, client
}

var _ = Describe("A deployment's life in a Director", func() {
	It("is told by facts from the first deploy to the last 404", func(ctx SpecContext) {
		director, c := startDirector(func(*devdirector.Options) {})
		info, err := c.Info(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(info.User).To(Equal("broker"))
		_, err = c.Deployment(ctx, "si-1")
		Expect(err).To(MatchError(boshclient.ErrNotFound))

		create, err := c.Deploy(ctx, boshclient.Deploy{Manifest: manifest, ContextID: "create-1"})
		Expect(err).NotTo(HaveOccurred())
		task, err := c.Task(ctx, create)
		Expect(err).NotTo(HaveOccurred())
		Expect(task).To(And(HaveField("State", boshclient.StateDone), HaveField("ContextID", "create-1"), HaveField("Deployment", "si-1")))
		events, next, err := c.TaskEvents(ctx, create, 0)
		Expect(err).NotTo(HaveOccurred())
		Expect(events).To(ContainElement(And(HaveField("Stage", HavePrefix("Creating missing vms")), HaveField("State", "finished"))))
		events, again, err := c.TaskEvents(ctx, create, next)
		Expect(err).NotTo(HaveOccurred())
		Expect(events).To(BeEmpty())
		Expect(again).To(Equal(next))
		Expect(c.TasksByContext(ctx, "si-1", "create-1")).To(ConsistOf(HaveField("ID", create)))
		Expect(c.TasksInProgress(ctx, "si-1")).To(BeEmpty())
		latest, found, err := c.LatestTask(ctx, "si-1")
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(BeTrue())
		Expect(latest).To(HaveField("ID", create))
		_, found, err = c.LatestTask(ctx, "si-2")
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(BeFalse())

		director.ExpireTokens()
		Expect(c.Deployment(ctx, "si-1")).To(Equal(boshclient.Deployment{Name: "si-1", Manifest: manifest}))
		Expect(c.Deployments(ctx)).To(ConsistOf(HaveField("Name", "si-1")))
		Expect(c.Instances(ctx, "si-1")).To(HaveExactElements(
			And(HaveField("Group", "server"), HaveField("Index", 0), HaveField("IPs", HaveLen(1))),
			And(HaveField("Group", "server"), HaveField("Index", 1), HaveField("IPs", HaveLen(1)))))
		Expect(c.Variables(ctx, "si-1")).To(ConsistOf(HaveField("Name", HaveSuffix("/si-1/admin-pw"))))
		Expect(c.LinkAddress(ctx, boshclient.LinkAddress{Deployment: "si-1", InstanceGroup: "server", Provider: "server"})).
			To(HaveSuffix(".server.default.si-1.bosh"))
		diff, err := c.Diff(ctx, "si-1", manifest)
		Expect(err).NotTo(HaveOccurred())
		Expect(diff.Lines).To(BeEmpty())

		recreate, err := c.Recreate(ctx, boshclient.Recreate{Name: "si-1"})
		Expect(err).NotTo(HaveOccurred())
		Expect(c.CancelTask(ctx, recreate)).To(MatchError(ContainSubstring("invalid state (done)")))

		gone, err := c.DeleteDeployment(ctx, boshclient.DeleteDeployment{Name: "si-1", ContextID: "delete-1"})
		Expect(err).NotTo(HaveOccurred())
		Expect(c.Task(ctx, gone)).To(HaveField("State", boshclient.StateDone))
		_, err = c.DeleteDeployment(ctx, boshclient.DeleteDeployment{Name: "si-1"})
		Expect(err).To(MatchError(boshclient.ErrNotFound))

		Expect(director.Stats().TotalTasks).To(Equal(3), "create, recreate, delete; no task to look")
		Expect(director.Stats().Connections).To(Equal(1))
		Expect(director.Stats().Tokens).To(Equal(2))
	})

	It("has errands, whose exit codes are in the result", func(ctx SpecContext) {
		_, c := startDirector(func(o *devdirector.Options) {
			o.Errands = map[string]devdirector.Errand{"smoke": {ExitCode: 3, Stdout: "no"}}
		})
		_, err := c.Deploy(ctx, boshclient.Deploy{Manifest: manifest})
		Expect(err).NotTo(HaveOccurred())
		id, err := c.RunErrand(ctx, boshclient.RunErrand{Deployment: "si-1", Errand: "smoke", Instances: []string{"server/0"}, ContextID: "e"})
		Expect(err).NotTo(HaveOccurred())
		Expect(c.Task(ctx, id)).To(HaveField("State", boshclient.StateDone))
		Expect(c.TaskResult(ctx, id)).To(WithTransform(func(b []byte) string { return string(b) }, ContainSubstring(`"exit_code":3`)))
	})

	It("has configs that one writer at a time may claim", func(ctx SpecContext) {
		_, c := startDirector(func(*devdirector.Options) {})
		claim := boshclient.CreateConfig{Type: "odb-instance", Name: "si-1", Content: "a: 1", ExpectedLatestID: new("0")}
		mine, err := c.CreateConfig(ctx, claim)
		Expect(err).NotTo(HaveOccurred())
		Expect(mine.Created()).To(BeTemporally("~", time.Now(), time.Minute))
		Expect(boshclient.Config{CreatedAt: "yesterday"}.Created()).To(BeZero())
		claim.Content = "a: 2"
		_, err = c.CreateConfig(ctx, claim)
		Expect(err).To(MatchError(boshclient.ErrConfigChanged))
		Expect(c.Configs(ctx, boshclient.ConfigFilter{Type: "odb-instance", Name: "si-1"})).To(ConsistOf(mine))

		second, err := c.CreateConfig(ctx, boshclient.CreateConfig{Type: "odb-instance", Name: "si-1", Content: "a: 3", ExpectedLatestID: &mine.ID})
		Expect(err).NotTo(HaveOccurred())
		Expect(c.DeleteConfigVersion(ctx, second.ID)).To(Succeed())
		Expect(c.DeleteConfigVersion(ctx, second.ID)).To(MatchError(boshclient.ErrNotFound))
		Expect(c.Configs(ctx, boshclient.ConfigFilter{Type: "odb-instance", Name: "si-1", History: true})).To(ConsistOf(mine))
		Expect(c.DeleteConfig(ctx, "odb-instance", "si-1")).To(Succeed())
		Expect(c.DeleteConfig(ctx, "odb-instance", "si-1")).To(MatchError(boshclient.ErrNotFound))
	})

	It("has addresses though the Director's database has none", func(ctx SpecContext) {
		director, c := startDirector(func(o *devdirector.Options) { o.DynamicNetworks = []string{"default"} })
		_, err := c.Deploy(ctx, boshclient.Deploy{Manifest: manifest})
		Expect(err).NotTo(HaveOccurred())
		Expect(c.Instances(ctx, "si-1")).To(HaveEach(HaveField("IPs", Not(BeEmpty()))))
		Expect(director.Stats().TotalTasks).To(Equal(2), "the deploy, and one to ask the VMs")
	})

	It("can be found by its context id when the answer to its submission was lost", func(ctx SpecContext) {
		director, c := startDirector(func(*devdirector.Options) {})
		Expect(director.AddFault(devdirector.Fault{Kind: devdirector.FaultRefuse, Method: "POST", Path: "^/deployments$", AfterHandling: true, Times: 1})).To(Succeed())
		_, err := c.Deploy(ctx, boshclient.Deploy{Manifest: manifest, ContextID: "lost"})
		var away *boshclient.Unavailable
		Expect(errors.As(err, &away)).To(BeTrue())
		Expect(away.Sent).To(BeTrue())
		Expect(c.TasksByContext(ctx, "si-1", "lost")).To(HaveLen(1))
	})
})
