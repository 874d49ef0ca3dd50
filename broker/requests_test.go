package broker

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/boshclient"
)

func TestRequestParametersAlwaysHaveParameters(t *testing.T) {
	g := NewWithT(t)
	body, err := requestParameters(t.Context(), domain.ProvisionDetails{ServiceID: "s", PlanID: "p", RawContext: json.RawMessage(`{"platform":"x","more":{"a":12345678901234567890}}`)}, noParameters)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(body)).To(Equal(`{"context":{"platform":"x","more":{"a":12345678901234567890}},"organization_guid":"","parameters":{},"plan_id":"p","service_id":"s","space_guid":""}`))
}

func TestRequestParametersHaveAllThatWasSent(t *testing.T) {
	for sent, want := range map[string]string{
		`{"service_id":"other","x":[1],"bind_resource":{"app_guid":"other","app_annotations":{"a":1.50}},"parameters":{"not":"these"},"context":{"nor":"this"}}`: `{"app_guid":"","bind_resource":{"app_annotations":{"a":1.50},"app_guid":"app"},"parameters":{},"plan_id":"p","service_id":"s","x":[1]}`,
		`{"bind_resource":null,"plan_id":{"an":"object"}}`: `{"app_guid":"","bind_resource":{"app_guid":"app"},"parameters":{},"plan_id":"p","service_id":"s"}`,
		`[]`: `{"app_guid":"","bind_resource":{"app_guid":"app"},"parameters":{},"plan_id":"p","service_id":"s"}`,
		``:   `{"app_guid":"","bind_resource":{"app_guid":"app"},"parameters":{},"plan_id":"p","service_id":"s"}`,
	} {
		ctx := WithRequest(t.Context(), Request{Body: json.RawMessage(sent)})
		body, err := requestParameters(ctx, domain.BindDetails{ServiceID: "s", PlanID: "p", BindResource: &domain.BindResource{AppGuid: "app"}}, noParameters)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(string(body)).To(Equal(want), sent)
	}
}

func TestParametersAreAnObject(t *testing.T) {
	for text, want := range map[string]string{"": `{}`, "null": `{}`, " {} ": `{}`, `{"a":1}`: `{"a":1}`} {
		got, refusal := objectOf(json.RawMessage(text))
		NewWithT(t).Expect(refusal).To(BeNil())
		NewWithT(t).Expect(string(got)).To(Equal(want))
	}
	for _, text := range []string{`[]`, `"x"`, `1`, `true`, `{"a":`} {
		_, refusal := objectOf(json.RawMessage(text))
		NewWithT(t).Expect(refusal).NotTo(BeNil(), text)
		NewWithT(t).Expect(refusal.Kind).To(Equal(BadRequest))
	}
}

func TestTopologyHasAllAddressesOfAGroup(t *testing.T) {
	NewWithT(t).Expect(topology([]boshclient.Instance{
		{Group: "redis", IPs: []string{"10.0.0.1", "10.1.0.1"}}, {Group: "proxy"}, {Group: "redis", IPs: []string{"10.0.0.2"}},
	})).To(Equal(map[string][]string{"redis": {"10.0.0.1", "10.1.0.1", "10.0.0.2"}, "proxy": nil}))
}

func TestSideBySideReportsTheFirstOfTheListAndSurvivesAPanic(t *testing.T) {
	g := NewWithT(t)
	first, second := errors.New("first"), errors.New("second")
	err := sideBySide(context.Background(),
		func(context.Context) error { return first },
		func(context.Context) error { return second })
	g.Expect(err).To(Equal(first))
	err = sideBySide(context.Background(),
		func(context.Context) error { panic("oh") },
		func(context.Context) error { return nil })
	g.Expect(err).To(MatchError(ContainSubstring("panic: oh")))
}

func TestContextIDOfADeletionFitsTheDirector(t *testing.T) {
	g := NewWithT(t)
	g.Expect(deleteContextID("i-1")).To(Equal("delete-i-1"))
	long := make([]byte, MaxInstanceIDLength)
	for i := range long {
		long[i] = 'x'
	}
	g.Expect(len(deleteContextID(string(long)))).To(BeNumerically("<=", maxContextIDLength))
}
