package devdirector_test

import (
	"net/http"
	"time"

	"github.com/cloudfoundry/bosh-cli/v7/director"
	"github.com/cloudfoundry/bosh-cli/v7/uaa"
	boshlog "github.com/cloudfoundry/bosh-utils/logger"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/devdirector"
)

// session is a token session of the bosh CLI.
func session(d *devdirector.Director, client, secret string) (*uaa.ClientTokenSession, error) {
	GinkgoHelper()
	config, err := uaa.NewConfigFromURL(d.UAAURL())
	Expect(err).NotTo(HaveOccurred())
	config.CACert, config.Client, config.ClientSecret = d.CACert(), client, secret
	made, err := uaa.NewFactory(boshlog.NewLogger(boshlog.LevelNone)).New(config)
	Expect(err).NotTo(HaveOccurred())
	s := uaa.NewClientTokenSession(made)
	_, err = s.TokenFunc(false)
	return s, err
}

// cli is the bosh CLI's own client.
func cli(d *devdirector.Director, set func(*director.FactoryConfig)) director.Director {
	GinkgoHelper()
	config, err := director.NewConfigFromURL(d.URL())
	Expect(err).NotTo(HaveOccurred())
	config.CACert = d.CACert()
	set(&config)
	made, err := director.NewFactory(boshlog.NewLogger(boshlog.LevelNone)).
		New(config, director.NewNoopTaskReporter(), director.NewNoopFileReporter())
	Expect(err).NotTo(HaveOccurred())
	return made
}

var _ = Describe("a Director in UAA mode", func() {
	var (
		clock *devdirector.ManualClock
		d     *devdirector.Director
		bosh  *caller
	)

	BeforeEach(func() {
		clock = devdirector.NewManualClock(began)
		d = start(devdirector.Options{TLS: true, Clock: clock, UAA: &devdirector.UAAOptions{
			TokenLifetime: time.Minute,
			Clients: map[string]devdirector.UAAClient{
				"broker": {Secret: "s3cret/+%", Scopes: []string{"bosh.admin"}},
				"team":   {Secret: "t", Scopes: []string{"bosh.teams.one.admin"}},
			},
		}})
		bosh = callerOf(d)
	})
	token := func(client, secret string) string {
		GinkgoHelper()
		s, err := session(d, client, secret)
		Expect(err).NotTo(HaveOccurred())
		text, err := s.TokenFunc(false)
		Expect(err).NotTo(HaveOccurred())
		return text[len("bearer "):]
	}

	It("issues tokens that expire", func() {
		bosh := bosh.as(withToken(token("broker", "s3cret/+%")))
		Expect(bosh.get("/deployments").status).To(Equal(http.StatusOK))
		clock.Advance(time.Minute)
		Expect(bosh.get("/deployments").status).To(Equal(http.StatusUnauthorized))
		Expect(bosh.get("/info").body).To(ContainSubstring(`"user":null`))
		Expect(d.Stats().Tokens).To(Equal(1))
	})

	It("refuses bad clients, and basic authentication", func() {
		_, err := session(d, "broker", "wrong")
		Expect(err).To(MatchError(ContainSubstring("Bad credentials")))
		Expect(bosh.get("/deployments").status).To(Equal(http.StatusUnauthorized))
	})

	It("lets a client with a token session go on when its tokens are gone", func() {
		s, err := session(d, "broker", "s3cret/+%")
		Expect(err).NotTo(HaveOccurred())
		client := cli(d, func(c *director.FactoryConfig) { c.TokenFunc = s.TokenFunc })
		_, err = client.Deployments()
		Expect(err).NotTo(HaveOccurred())
		d.ExpireTokens()
		_, err = client.Deployments()
		Expect(err).NotTo(HaveOccurred())
		Expect(d.Stats().Tokens).To(Equal(2))
	})

	It("shows a team only what is the team's", func() {
		admin, team := bosh.as(withToken(token("broker", "s3cret/+%"))), bosh.as(withToken(token("team", "t")))
		admin.deploy(manifestOf("theirs", 1))
		id := team.deploy(manifestOf("ours", 1))
		Expect(team.task(id).User).To(Equal("team"))
		Expect(team.get("/deployments").body).To(ContainSubstring(`[{"name":"ours","teams":["one"]`))
		Expect(team.get("/deployments").body).NotTo(ContainSubstring("theirs"))
		Expect(team.get("/deployments/theirs").status).To(Equal(http.StatusUnauthorized))
		Expect(team.send(http.MethodPost, "/deployments", manifestOf("theirs", 2), "Content-Type", "text/yaml").status).To(Equal(http.StatusUnauthorized))
		Expect(admin.get("/deployments").body).To(ContainSubstring(`"teams":["one"]`))
	})
})

var _ = Describe("the bosh CLI's client", func() {
	It("deploys, looks, runs an errand and deletes", func() {
		d := start(devdirector.Options{TLS: true, Errands: map[string]devdirector.Errand{"smoke": {Stdout: "fine", ExitCode: 1}}})
		client := cli(d, func(c *director.FactoryConfig) { c.Client, c.ClientSecret = "admin", "admin" })
		info, err := client.Info()
		Expect(err).NotTo(HaveOccurred())
		Expect(info.User).To(Equal("admin"))

		dep, err := client.FindDeployment("a")
		Expect(err).NotTo(HaveOccurred())
		diff, err := dep.Diff([]byte(manifestOf("a", 2)), false)
		Expect(err).NotTo(HaveOccurred())
		Expect(dep.Update([]byte(manifestOf("a", 2)), director.UpdateOpts{Diff: diff})).To(Succeed())

		vms, err := dep.VMInfos()
		Expect(err).NotTo(HaveOccurred())
		Expect(vms).To(HaveLen(2))
		Expect(vms[0].IPs).To(Equal([]string{"10.244.0.2"}))
		variables, err := dep.Variables()
		Expect(err).NotTo(HaveOccurred())
		Expect(variables).To(HaveLen(1))
		results, err := dep.RunErrand("smoke", false, false, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(results).To(HaveLen(2))
		Expect(results[0]).To(And(HaveField("ExitCode", 1), HaveField("Stdout", "fine")))
		Expect(dep.Recreate(director.NewAllOrInstanceGroupOrInstanceSlug("redis", ""), director.RecreateOpts{Converge: true})).To(Succeed())
		tasks, err := client.RecentTasks(10, director.TasksFilter{Deployment: "a"})
		Expect(err).NotTo(HaveOccurred())
		Expect(tasks).To(HaveLen(3))
		Expect(dep.Delete(false)).To(Succeed())
		list, err := client.Deployments()
		Expect(err).NotTo(HaveOccurred())
		Expect(list).To(BeEmpty())
	})

	It("updates cloud configs", func() {
		d := start(devdirector.Options{TLS: true})
		client := cli(d, func(c *director.FactoryConfig) { c.Client, c.ClientSecret = "admin", "admin" })
		Expect(client.UpdateCloudConfig("default", []byte("azs: [{name: z1}]"))).To(Succeed())
		diff, err := client.DiffCloudConfig("default", []byte("azs: [{name: z2}]"))
		Expect(err).NotTo(HaveOccurred())
		Expect(diff.Diff).To(ContainElement([]any{"- name: z2", "added"}))
		config, err := client.LatestCloudConfig("default")
		Expect(err).NotTo(HaveOccurred())
		Expect(config.Properties).To(Equal("azs: [{name: z1}]"))
	})
})
