package cftest_test

import (
	"net/http"
	"net/url"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/cfclient/cftest"
)

var _ = Describe("logging in", func() {
	var (
		cc  *cftest.CloudController
		now time.Time
		api *caller
	)

	BeforeEach(func() {
		now = time.Now()
		cc = start(cftest.Options{
			Now: func() time.Time { return now }, TokenLifetime: time.Minute,
			Clients: map[string]cftest.Client{"odd": {Secret: "a b&c=+%/d", Scopes: []string{"cloud_controller.admin"}}},
			Users:   map[string]cftest.User{"someone": {Password: "p&w+d", Scopes: []string{"cloud_controller.read"}}},
		})
		api = newCaller(cc)
	})

	brokers := func() int { return api.send("GET", "/v3/service_brokers", "").status }

	It("is good until the token expires", func() {
		now = now.Add(time.Minute - time.Second)
		Expect(brokers()).To(Equal(http.StatusOK))
		now = now.Add(time.Second)
		Expect(brokers()).To(Equal(http.StatusUnauthorized))
	})

	It("is no longer good when the tokens were expired, but can be refreshed", func() {
		user := api.grant(url.Values{"grant_type": {"password"}, "username": {cftest.AdminUser}, "password": {cftest.AdminPassword}}, cftest.CLIClient, "")
		api.token = user.AccessToken
		Expect(brokers()).To(Equal(http.StatusOK))
		cc.ExpireTokens()
		Expect(brokers()).To(Equal(http.StatusUnauthorized))
		api.token = api.grant(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {user.RefreshToken}}, cftest.CLIClient, "").AccessToken
		Expect(brokers()).To(Equal(http.StatusOK))
		Expect(cc.Stats().Tokens).To(Equal(3))
	})

	It("takes secrets with characters that must be escaped", func() {
		Expect(api.grant(url.Values{"grant_type": {"client_credentials"}}, "odd", "a b&c=+%/d").AccessToken).NotTo(BeEmpty())
		form := url.Values{"grant_type": {"password"}, "username": {"someone"}, "password": {"p&w+d"}}
		Expect(api.grant(form, cftest.CLIClient, "").AccessToken).NotTo(BeEmpty())
	})

	DescribeTable("refuses in UAA's words",
		func(form url.Values, id, secret, refusal string) {
			refused := api.grant(form, id, secret)
			Expect(refused.Error).To(Equal(refusal))
			Expect(refused.AccessToken).To(BeEmpty())
		},
		Entry("a wrong secret", url.Values{"grant_type": {"client_credentials"}}, cftest.AdminClient, "wrong", "unauthorized"),
		Entry("an unknown client", url.Values{"grant_type": {"client_credentials"}}, "nobody", "", "unauthorized"),
		Entry("a wrong password", url.Values{"grant_type": {"password"}, "username": {"someone"}, "password": {"x"}}, cftest.CLIClient, "", "unauthorized"),
		Entry("the CLI's client by itself", url.Values{"grant_type": {"client_credentials"}}, cftest.CLIClient, "", "unauthorized_client"),
		Entry("an unknown refresh token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}}, cftest.CLIClient, "", "invalid_token"),
		Entry("another grant", url.Values{"grant_type": {"magic"}}, cftest.AdminClient, cftest.AdminClientSecret, "unsupported_grant_type"),
	)

	It("lets users who aren't admins see public plans, and nothing else", func() {
		organization := cc.AddOrganization("org")
		space := cc.AddSpace(organization, "space")
		cc.AddBroker(cftest.Broker{Name: "b", Offerings: []cftest.Offering{{Name: "o", CatalogID: "o-id", Plans: []cftest.Plan{
			{Name: "open", CatalogID: "open-id", Public: true}, {Name: "hidden", CatalogID: "hidden-id"},
		}}}})
		instance := cc.AddInstance(cftest.Instance{PlanGUID: cc.PlanGUID("open-id"), SpaceGUID: space})
		api.token = api.grant(url.Values{"grant_type": {"password"}, "username": {"someone"}, "password": {"p&w+d"}}, cftest.CLIClient, "").AccessToken
		Expect(api.listed("/v3/service_plans")).To(And(HaveLen(1), HaveKey(cc.PlanGUID("open-id"))))
		Expect(api.send("GET", "/v3/service_plans/"+cc.PlanGUID("hidden-id"), "").status).To(Equal(http.StatusNotFound))
		Expect(api.listed("/v3/service_offerings")).To(HaveLen(1))
		Expect(api.listed("/v3/service_instances")).To(BeEmpty())
		Expect(api.send("GET", "/v3/service_instances/"+instance, "").status).To(Equal(http.StatusNotFound))
		Expect(api.listed("/v3/organizations")).To(BeEmpty())
		Expect(api.send("DELETE", "/v3/service_instances/"+instance, "").status).To(Equal(http.StatusForbidden))
	})
})
