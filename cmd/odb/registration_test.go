package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/cfclient/cftest"
)

// registerFile writes the file of register-broker.
func (w *world) registerFile(c cloud, plans string, changes ...string) string {
	GinkgoHelper()
	text := fmt.Sprintf("broker_name: redis-broker\nbroker_username: %s\nbroker_password: %s\nbroker_url: %s\nservice_offering_id: %s\n%s\nplans: %s\n",
		platformUser, platformPassword, w.platform.url, serviceID, c.file(), plans)
	text = strings.NewReplacer(changes...).Replace(text)
	path := filepath.Join(GinkgoT().TempDir(), "register.yml")
	Expect(os.WriteFile(path, []byte(text), 0o600)).To(Succeed())
	return path
}

var _ = Describe("the broker in Cloud Foundry", func() {
	const both = "[{name: small, cf_service_access: enable}, {name: large, cf_service_access: org-restricted, service_access_org: acme}]"

	bare := func() cloud {
		GinkgoHelper()
		controller := startCloud()
		return cloud{controller, controller.AddSpace(controller.AddOrganization("acme"), "prod")}
	}
	reads := func(c cloud) (reads, writes int) {
		for route, count := range c.Stats().Requests {
			if strings.HasPrefix(route, "GET ") {
				reads += count
			} else {
				writes += count
			}
		}
		return reads, writes
	}

	It("is registered by the errand of old; again, it costs what it must", func() {
		w := newWorld()
		c := bare()
		file := w.registerFile(c, both)
		p := startAs("register-broker", "-configPath", file)
		Expect(p.end()).To(BeZero(), p.stdout.String())
		Expect(p.stdout.String()).To(And(
			MatchRegexp(`(?m)^\[register-broker\] \[[0-9a-f-]{36}\] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} broker redis-broker: registered, at `+w.platform.url),
			ContainSubstring("plan small: access was for nobody, is now for everybody"), ContainSubstring("plan large: access was for nobody, is now for organization acme"),
		))
		Expect(p.stderr.String()).To(BeEmpty())
		Expect([]string{c.access(smallPlan), c.access(largePlan)}).To(Equal([]string{"public", "organization acme"}))
		Expect(c.Stats().ToBrokers).To(Equal(map[string]int{"catalog": 1}))

		c.ResetStats()
		code, out, errs := odb("register", "--config", file)
		Expect(errs).To(BeEmpty())
		Expect(code).To(BeZero())
		Expect(out).To(Equal("broker redis-broker: updated, at " + w.platform.url + "; Cloud Foundry has read its catalog\n" +
			"plan small: access is for everybody, as configured\nplan large: access is for organization acme, as configured\n"))
		_, writes := reads(c)
		Expect(writes).To(Equal(1), "only the broker was changed")
		Expect(c.Stats().ToBrokers).To(Equal(map[string]int{"catalog": 1}))
	})

	It("may have names and passwords of any kind", func() {
		w := newWorld(with("password: platform-secret", `password: 'pa"ss\w{o}rd'`))
		c := bare()
		file := w.registerFile(c, "[{name: small, cf_service_access: enable}]", "broker_password: platform-secret", "broker_password: placeholder", "broker_name: redis-broker", `broker_name: 'redis "prod", 2'`)
		GinkgoT().Setenv("ODB_BROKER_PASSWORD", `pa"ss\w{o}rd`)
		for _, done := range []string{"registered", "updated"} {
			code, out, errs := odb("register", "--config", file)
			Expect(errs).To(BeEmpty())
			Expect(code).To(BeZero())
			Expect(out).To(HavePrefix(`broker redis "prod", 2: ` + done))
		}
		code, out, _ := odb("deregister", "--config", file)
		Expect(code).To(BeZero())
		Expect(out).To(Equal(`broker redis "prod", 2: deregistered` + "\n"))
	})

	// before and after are who has access to the small plan; dev, test and acme are organizations.
	DescribeTable("gives access to a plan in one step, if any is needed", func(before, configured, flags, after string, writes int) {
		w := newWorld()
		c := w.registeredCloud()
		guids := map[string]string{"dev": c.AddOrganization("dev"), "test, 100%": c.AddOrganization("test, 100%")}
		switch before {
		case "admin":
			Expect(c.ask("PATCH", "/v3/service_plans/"+c.PlanGUID(smallPlan)+"/visibility", object{"type": "admin"}).status).To(Equal(200))
		case "public":
		default:
			c.opens(smallPlan, guids[before])
		}
		c.ResetStats()
		arguments := append([]string{"register", "--config", w.registerFile(c, "[{name: small, "+configured+"}]")}, strings.Fields(flags)...)
		code, out, errs := odb(arguments...)
		Expect(code).To(BeZero(), errs)
		stats := c.Stats().Requests
		Expect(c.access(smallPlan)).To(Equal(after), out)
		Expect(stats["PATCH /v3/service_plans/{guid}/visibility"] + stats["POST /v3/service_plans/{guid}/visibility"]).To(Equal(writes))
		Expect(strings.Contains(errs, "kept the access of organization dev, which isn't configured")).To(Equal(strings.Contains(after, "dev,")), errs)
	},
		Entry("enable", "admin", "cf_service_access: enable", "", "public", 1),
		Entry("enable, where an organization had it", "dev", "cf_service_access: enable", "", "public", 1),
		Entry("disable", "public", "cf_service_access: disable", "", "admin", 1),
		Entry("disable, where an organization had it", "dev", "cf_service_access: disable", "", "admin", 1),
		Entry("disable, as it is", "admin", "cf_service_access: disable", "", "admin", 0),
		Entry("manual", "dev", "cf_service_access: manual", "", "organization dev", 0),
		Entry("one organization, after everybody", "public", "cf_service_access: org-restricted, service_access_org: acme", "", "organization acme", 1),
		Entry("several organizations, any names", "admin", `cf_service_access: org-restricted, service_access_orgs: [acme, "test, 100%"]`, "", "organization acme,test, 100%", 1),
		Entry("one beside what was given by hand", "dev", "cf_service_access: org-restricted, service_access_org: acme", "", "organization dev,acme", 1),
		Entry("one instead of what was given by hand", "dev", "cf_service_access: org-restricted, service_access_org: acme", "--prune", "organization acme", 1),
		Entry("nothing to prune", "dev", "cf_service_access: org-restricted, service_access_org: dev", "--prune", "organization dev", 0),
	)

	It("says what would change, and changes nothing", func() {
		w := newWorld()
		c := bare()
		file := w.registerFile(c, "[{name: small, cf_service_access: enable}, {name: large, cf_service_access: manual}]")
		code, out, _ := odb("register", "--config", file, "--dry-run")
		Expect(code).To(BeZero())
		Expect(out).To(Equal("broker redis-broker: would be registered, at " + w.platform.url + "\n" +
			"plan small: Cloud Foundry doesn't know it yet\nplan small: access is for nobody, would be for everybody\n" +
			"plan large: Cloud Foundry doesn't know it yet\nplan large: access is managed by hand\n"))
		_, writes := reads(c)
		Expect(writes).To(BeZero())

		c = w.registeredCloud()
		dev := c.AddOrganization("dev")
		c.opens(largePlan, dev)
		c.ResetStats()
		file = w.registerFile(c, both, w.platform.url, "http://elsewhere.example.org")
		code, out, errs := odb("register", "--config", file, "--dry-run")
		Expect(code).To(BeZero())
		Expect(out).To(Equal("broker redis-broker: would be updated, at http://elsewhere.example.org instead of " + w.platform.url + "; Cloud Foundry would read its catalog\n" +
			"plan small: access is for everybody, as configured\nplan large: access is for organization dev, would be for organizations acme, dev\n"))
		Expect(errs).To(ContainSubstring("plan large: kept the access of organization dev, which isn't configured"))
		_, writes = reads(c)
		Expect(writes).To(BeZero())
	})

	It("is told what there is, if a plan or an organization isn't", func() {
		w := newWorld()
		c := w.registeredCloud()
		c.ResetStats()
		code, _, errs := odb("register", "--config", w.registerFile(c, "[{name: small, cf_service_access: org-restricted, service_access_orgs: [acme, acne]}]"))
		Expect(code).To(Equal(1))
		Expect(errs).To(Equal("odb: no organization acne (plan small) in Cloud Foundry: it has acme\n"))
		_, writes := reads(c)
		Expect(writes).To(BeZero())

		code, out, _ := calledAs("register-broker", "-configPath", w.registerFile(c, "[{name: small, cf_service_access: disable}, {name: huge, cf_service_access: enable}]"))
		Expect(code).To(Equal(1))
		Expect(out).To(ContainSubstring("failed to execute register-broker: the broker's catalog has no plan huge: it has large, small"))
		Expect(c.access(smallPlan)).To(Equal("public"))

		code, _, errs = odb("register", "--config", w.registerFile(c, both, serviceID, "other-id"))
		Expect(code).To(Equal(1))
		Expect(errs).To(ContainSubstring("broker redis-broker offers no service with the id other-id: it offers service-guid (redis)"))
	})

	It("isn't mixed up with another broker of the same ids", func() {
		w := newWorld()
		c := bare()
		c.AddBroker(cftest.Broker{Name: "copy", Offerings: []cftest.Offering{{Name: "redis-copy", CatalogID: serviceID, Plans: []cftest.Plan{{Name: "small", CatalogID: smallPlan}}}}})
		copied := c.PlanGUID(smallPlan)
		code, _, errs := odb("register", "--config", w.registerFile(c, "[{name: small, cf_service_access: enable}]"))
		Expect(code).To(BeZero(), errs)
		Expect(c.PlanGUID(smallPlan)).NotTo(Equal(copied))
		Expect(c.access(smallPlan)).To(Equal("public"))
		Expect(c.ask("GET", "/v3/service_plans/"+copied+"/visibility", nil).body).To(HaveKeyWithValue("type", "admin"))
	})

	It("is registered although Cloud Foundry is limiting, failing, busy and slow", func() {
		w := newWorld()
		c := bare()
		for _, fault := range []cftest.Fault{
			{Match: "GET /v3/organizations", Status: 429, RetryAfter: time.Second, Times: 1},
			{Match: "POST /v3/service_brokers", Status: 502, AfterHandling: true, Times: 1},
			{Match: "PATCH /v3/service_brokers/", Status: 422, Body: `{"errors":[{"code":10008,"title":"CF-UnprocessableEntity","detail":"Cannot update a broker when other operation is already in progress"}]}`, Times: 2},
			{Match: "GET /v3/jobs/", Status: 502, Times: 1},
			{Match: "PATCH /v3/service_plans/.*/visibility", Status: 502, AfterHandling: true, Times: 1},
			{Match: "GET /v3/service_plans", Delay: 300 * time.Millisecond, Times: 1},
		} {
			Expect(c.AddFault(fault)).To(Succeed())
		}
		code, out, errs := odb("register", "--config", w.registerFile(c, both))
		Expect(errs).To(BeEmpty())
		Expect(code).To(BeZero())
		Expect(out).To(HavePrefix("broker redis-broker: registered"))
		Expect([]string{c.access(smallPlan), c.access(largePlan)}).To(Equal([]string{"public", "organization acme"}))
		Expect(c.ask("GET", "/v3/service_brokers", nil).body["resources"]).To(HaveLen(1))
	})

	It("that can't be reached is told, and put right by registering again", func() {
		w := newWorld()
		c := bare()
		code, _, errs := odb("register", "--config", w.registerFile(c, both, w.platform.url, nobodyThere()))
		Expect(code).To(Equal(1))
		Expect(errs).To(And(ContainSubstring("broker redis-broker is registered, but Cloud Foundry can't use it at http://127.0.0.1:"), ContainSubstring("register it again")))
		code, out, errs := odb("register", "--config", w.registerFile(c, both))
		Expect(errs).To(BeEmpty())
		Expect(code).To(BeZero())
		Expect(out).To(HavePrefix("broker redis-broker: updated"))

		code, _, errs = odb("register", "--config", w.registerFile(c, both, w.platform.url, nobodyThere()))
		Expect(code).To(Equal(1))
		Expect(errs).To(ContainSubstring("registering broker redis-broker at http://127.0.0.1:"))
		Expect(c.access(smallPlan)).To(Equal("public"), "as it was")
	})

	It("is told what Cloud Foundry warns of", func() {
		w := newWorld()
		c := w.registeredCloud()
		c.creates("cache-1")
		w.serve(with("  - name: small\n    plan_id: "+smallPlan, "  - name: tiny\n    plan_id: tiny-plan-guid"))
		code, _, errs := odb("register", "--config", w.registerFile(c, "[{name: tiny, cf_service_access: enable}]"))
		Expect(code).To(BeZero())
		Expect(errs).To(MatchRegexp(`^odb: Cloud Foundry warns: Warning: Service plans are missing .* Plans deactivated: small\n$`))
	})

	Describe("is deregistered", func() {
		It("unless it has instances, which are counted; not being there is fine", func() {
			w := newWorld()
			c := w.registeredCloud()
			c.creates("cache-1", "cache-2")
			file := w.registerFile(c, both)
			code, _, errs := odb("deregister", "--config", file, "--broker-name", "redis-broker")
			Expect(code).To(Equal(1))
			Expect(errs).To(MatchRegexp(`deregistering broker redis-broker: it has 2 service instances: delete them first: .*Can not remove brokers that have associated service instances`))
			old := startAs("deregister-broker", "-brokerName", "redis-broker", "-configFilePath", file)
			Expect(old.end()).To(Equal(1))
			Expect(old.stdout.String()).To(And(ContainSubstring("it has 2 service instances"), Not(ContainSubstring("FINISHED"))))

			for _, instance := range c.Instances() {
				c.done("DELETE", "/v3/service_instances/"+instance.GUID, nil)
			}
			Expect(c.AddFault(cftest.Fault{Match: "DELETE /v3/service_brokers/", Status: 502, AfterHandling: true, Times: 1})).To(Succeed())
			for _, says := range []string{"broker redis-broker: deregistered", "broker redis-broker: it is not registered, there is nothing to do"} {
				code, out, _ := calledAs("deregister-broker", "-brokerName", "redis-broker", "-configFilePath", file)
				Expect(code).To(BeZero(), out)
				Expect(out).To(And(ContainSubstring(says), ContainSubstring("FINISHED DEREGISTER BROKER")))
			}
			code, out, _ := odb("deregister", "--config", file)
			Expect(code).To(BeZero())
			Expect(out).To(Equal("broker redis-broker: it is not registered, there is nothing to do\n"))
		})

		It("with a name, and a platform that can be asked", func() {
			w := newWorld()
			c := bare()
			code, out, _ := calledAs("deregister-broker", "-configFilePath", w.registerFile(c, both))
			Expect(code).To(Equal(1))
			Expect(out).To(ContainSubstring("give it with -brokerName"))
			code, out, _ = calledAs("deregister-broker", "-brokerName", "b", "-configFilePath", w.registerFile(c, both, cftest.AdminClientSecret, "wrong"))
			Expect(code).To(Equal(1))
			Expect(out).To(And(ContainSubstring("deregistering broker b: "), Not(ContainSubstring("wrong"))))
			code, _, errs := odb("deregister", "--broker-name", "b")
			Expect(code).To(Equal(1))
			Expect(errs).To(ContainSubstring("cf.url: is missing"))
		})
	})
})
