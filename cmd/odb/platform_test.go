package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	platformUser     = "platform"
	platformPassword = "platform-secret"
)

// platform asks the broker as Cloud Foundry or Kubernetes would.
type platform struct {
	url    string
	client *http.Client
}

func newPlatform(url string) *platform {
	return &platform{url: url, client: &http.Client{Timeout: patience}}
}

// answer is what the broker said.
type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

func (a answer) description() string { s, _ := a.body["description"].(string); return s }
func (a answer) operation() string   { s, _ := a.body["operation"].(string); return s }

// object is a JSON object.
type object = map[string]any

// do sends a request; body is JSON to encode, or a string to send as it is.
func (p *platform) do(method, path string, body any, change ...func(*http.Request)) answer {
	GinkgoHelper()
	a, err := p.try(method, path, body, change...)
	Expect(err).NotTo(HaveOccurred())
	return a
}

func (p *platform) try(method, path string, body any, change ...func(*http.Request)) (answer, error) {
	request, err := http.NewRequest(method, p.url+path, bodyReader(body))
	if err != nil {
		return answer{}, err
	}
	request.SetBasicAuth(platformUser, platformPassword)
	request.Header.Set("X-Broker-API-Version", "2.17")
	request.Header.Set("Content-Type", "application/json")
	for _, c := range change {
		c(request)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: response.StatusCode, header: response.Header, text: string(text)}
	_ = json.Unmarshal(text, &a.body) // not every answer is an object
	return a, nil
}

func bodyReader(body any) io.Reader {
	switch b := body.(type) {
	case nil:
		return nil
	case string:
		return bytes.NewReader([]byte(b))
	default:
		text, err := json.Marshal(b)
		if err != nil {
			panic(err)
		}
		return bytes.NewReader(text)
	}
}

func instancePath(id string) string { return "/v2/service_instances/" + id }

func bindingPath(id, binding string) string {
	return instancePath(id) + "/service_bindings/" + binding
}

func provisionBody(plan string) object {
	return object{"service_id": serviceID, "plan_id": plan, "organization_guid": "org", "space_guid": "space"}
}

// merged is an object with some members changed; nil takes one away.
func merged(base, change object) object {
	all := object{}
	for k, v := range base {
		all[k] = v
	}
	for k, v := range change {
		if v == nil {
			delete(all, k)
		} else {
			all[k] = v
		}
	}
	return all
}

func planQuery(plan string) string { return "service_id=" + serviceID + "&plan_id=" + plan }

func (p *platform) provision(id string, change object) answer {
	GinkgoHelper()
	return p.do("PUT", instancePath(id)+"?accepts_incomplete=true", merged(provisionBody(smallPlan), change))
}

func (p *platform) update(id string, change object) answer {
	GinkgoHelper()
	body := object{"service_id": serviceID, "plan_id": smallPlan, "previous_values": object{"plan_id": smallPlan}}
	return p.do("PATCH", instancePath(id)+"?accepts_incomplete=true", merged(body, change))
}

func (p *platform) deprovision(id string) answer {
	GinkgoHelper()
	return p.do("DELETE", instancePath(id)+"?accepts_incomplete=true&"+planQuery(smallPlan), nil)
}

func (p *platform) bind(id, binding string, change object) answer {
	GinkgoHelper()
	body := object{"service_id": serviceID, "plan_id": smallPlan, "bind_resource": object{"app_guid": "app"}}
	return p.do("PUT", bindingPath(id, binding), merged(body, change))
}

func (p *platform) unbind(id, binding string) answer {
	GinkgoHelper()
	return p.do("DELETE", bindingPath(id, binding)+"?"+planQuery(smallPlan), nil)
}

func (p *platform) lastOperation(id, operation string) answer {
	GinkgoHelper()
	return p.do("GET", instancePath(id)+"/last_operation?"+planQuery(smallPlan)+"&operation="+url.QueryEscape(operation), nil)
}

// follow polls an operation to its end and returns the state it ended in.
func (p *platform) follow(id, operation string) string {
	GinkgoHelper()
	var state any
	Eventually(func(g Gomega) {
		a, err := p.try("GET", instancePath(id)+"/last_operation?operation="+url.QueryEscape(operation), nil)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(a.status).To(Equal(http.StatusOK))
		state = a.body["state"]
		g.Expect(state).NotTo(Equal("in progress"))
	}).WithPolling(5 * time.Millisecond).Should(Succeed())
	return state.(string)
}

// provisioned makes an instance and waits for it.
func (p *platform) provisioned(id string) {
	GinkgoHelper()
	a := p.provision(id, nil)
	Expect(a.status).To(Equal(http.StatusAccepted), a.text)
	Expect(p.follow(id, a.operation())).To(Equal("succeeded"))
}

// cutAround is what stands between two texts.
func cutAround(text, before, after string) (head, middle, tail string) {
	head, rest, _ := strings.Cut(text, before)
	middle, tail, _ = strings.Cut(rest, after)
	return head, middle, tail
}
