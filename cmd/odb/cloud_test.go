package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/cfclient/cftest"
)

// startCloud starts a Cloud Controller that knows nobody.
func startCloud() *cftest.CloudController {
	GinkgoHelper()
	controller, err := cftest.Start(cftest.Options{})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(controller.Close)
	return controller
}

// registeredCloud is one that was told of the world's broker, and has read its catalog.
func (w *world) registeredCloud() cloud {
	GinkgoHelper()
	controller := startCloud()
	c := cloud{controller, controller.AddSpace(controller.AddOrganization("acme"), "prod")}
	code, _, errs := odb("register", "--config", w.registerFile(c, "[{name: small, cf_service_access: enable}, {name: large, cf_service_access: enable}]"))
	Expect(errs).To(BeEmpty())
	Expect(code).To(BeZero())
	c.ResetStats()
	return c
}

// ask sends a request of an administrator to the API.
func (c cloud) ask(method, path string, body any) answer {
	GinkgoHelper()
	client := trusting(c.CACert())
	defer client.CloseIdleConnections()
	request, err := http.NewRequest(method, c.URL()+path, bodyReader(body))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Authorization", "bearer "+c.token(client))
	request.Header.Set("Content-Type", "application/json")
	return send(client, request)
}

func (c cloud) token(client *http.Client) string {
	GinkgoHelper()
	request, err := http.NewRequest(http.MethodPost, c.UAAURL()+"/oauth/token", strings.NewReader(url.Values{"grant_type": {"client_credentials"}}.Encode()))
	Expect(err).NotTo(HaveOccurred())
	request.SetBasicAuth(cftest.AdminClient, cftest.AdminClientSecret)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	token, _ := send(client, request).body["access_token"].(string)
	return token
}

func send(client *http.Client, request *http.Request) answer {
	GinkgoHelper()
	response, err := client.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	a := answer{status: response.StatusCode, header: response.Header, body: object{}}
	_ = json.NewDecoder(response.Body).Decode(&a.body) // 202 and 204 have none
	return a
}

// done asks for a change and waits for its job.
func (c cloud) done(method, path string, body any) {
	GinkgoHelper()
	Expect(c.state(method, path, body)).To(Equal("COMPLETE"))
}

// state asks for a change and tells how its job ended.
func (c cloud) state(method, path string, body any) (state string) {
	GinkgoHelper()
	accepted := c.ask(method, path, body)
	Expect(accepted.status).To(Equal(http.StatusAccepted), "%v", accepted.body)
	Eventually(func() string {
		state, _ = c.ask("GET", strings.TrimPrefix(accepted.header.Get("Location"), c.URL()), nil).body["state"].(string)
		return state
	}).WithPolling(5 * time.Millisecond).Should(Or(Equal("COMPLETE"), Equal("FAILED")))
	return state
}

// toOne is a relationship.
func toOne(guid string) object { return object{"data": object{"guid": guid}} }

// creates makes instances of the small plan, through the broker, and returns their GUIDs.
func (c cloud) creates(names ...string) (guids []string) {
	GinkgoHelper()
	for _, name := range names {
		c.done("POST", "/v3/service_instances", object{
			"type": "managed", "name": name, "relationships": object{"space": toOne(c.space), "service_plan": toOne(c.PlanGUID(smallPlan))},
		})
	}
	for _, instance := range c.Instances() {
		for _, name := range names {
			if instance.Name == name {
				guids = append(guids, instance.GUID)
			}
		}
	}
	return guids
}

// binds makes a key of an instance, or binds it to an app.
func (c cloud) binds(instance, appOrKey string, isApp bool) {
	GinkgoHelper()
	body := object{"type": "key", "name": appOrKey, "relationships": object{"service_instance": toOne(instance)}}
	if isApp {
		body = object{"type": "app", "relationships": object{"service_instance": toOne(instance), "app": toOne(appOrKey)}}
	}
	c.done("POST", "/v3/service_credential_bindings", body)
}

// access is who has access to a plan: everybody, nobody, or the names of organizations.
func (c cloud) access(plan string) string {
	GinkgoHelper()
	visibility := c.ask("GET", "/v3/service_plans/"+c.PlanGUID(plan)+"/visibility", nil).body
	var names []string
	organizations, _ := visibility["organizations"].([]any)
	for _, one := range organizations {
		names = append(names, one.(object)["name"].(string))
	}
	return strings.TrimSpace(visibility["type"].(string) + " " + strings.Join(names, ","))
}

// opens gives organizations access to a plan by hand; none: everybody.
func (c cloud) opens(plan string, organizations ...string) {
	GinkgoHelper()
	body := object{"type": "public"}
	if len(organizations) > 0 {
		var guids []object
		for _, guid := range organizations {
			guids = append(guids, object{"guid": guid})
		}
		body = object{"type": "organization", "organizations": guids}
	}
	Expect(c.ask("PATCH", "/v3/service_plans/"+c.PlanGUID(plan)+"/visibility", body).status).To(Equal(http.StatusOK))
}
