package broker

import (
	"encoding/json"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/adapterclient"
)

func TestABindIsJudgedByWhatIsKnown(t *testing.T) {
	answer := &adapterclient.Binding{}
	at := func(operation OperationType, state domain.LastOperationState) bindingOperation {
		return bindingOperation{Type: operation, State: state}
	}
	for name, test := range map[string]struct {
		known *knownBinding
		want  bindVerdict
	}{
		"nothing is known":           {nil, newBinding},
		"the same":                   {&knownBinding{Digest: "d", Answer: answer}, sameBinding},
		"the same, without answer":   {&knownBinding{Digest: "d"}, sameUnanswered},
		"another":                    {&knownBinding{Digest: "e", Answer: answer}, otherBinding},
		"another, without an answer": {&knownBinding{Digest: "e"}, otherBinding},

		"the same is being made":         {&knownBinding{Digest: "d", Operation: at(OperationBind, domain.InProgress)}, sameGoesOn},
		"another is being made":          {&knownBinding{Digest: "e", Operation: at(OperationBind, domain.InProgress)}, otherBinding},
		"the same was made afterwards":   {&knownBinding{Digest: "d", Answer: answer, Operation: at(OperationBind, domain.Succeeded)}, sameBinding},
		"the same could not be made":     {&knownBinding{Digest: "d", Operation: at(OperationBind, domain.Failed)}, newBinding},
		"another could not be made":      {&knownBinding{Digest: "e", Operation: at(OperationBind, domain.Failed)}, newBinding},
		"it is being taken back":         {&knownBinding{Digest: "d", Answer: answer, Operation: at(OperationUnbind, domain.InProgress)}, busyBinding},
		"it could not be taken back":     {&knownBinding{Digest: "d", Answer: answer, Operation: at(OperationUnbind, domain.Failed)}, sameBinding},
		"one that nobody knew goes":      {&knownBinding{Operation: at(OperationUnbind, domain.InProgress)}, busyBinding},
		"one that nobody knew didn't go": {&knownBinding{Operation: at(OperationUnbind, domain.Failed)}, newBinding},
	} {
		NewWithT(t).Expect(judgeBind(test.known, "d")).To(Equal(test.want), name)
	}
}

func TestDigestOfABind(t *testing.T) {
	of := func(body string) string {
		var details domain.BindDetails
		NewWithT(t).Expect(json.Unmarshal([]byte(body), &details)).To(Succeed())
		parameters, refusal := objectOf(details.RawParameters)
		NewWithT(t).Expect(refusal).To(BeNil())
		return bindDigest("i", details, parameters)
	}
	first := of(`{"plan_id":"p","bind_resource":{"app_guid":"a"},"parameters":{"x":1,"y":[2]},"context":{"space_name":"old"}}`)
	for _, same := range []string{
		`{"parameters":{"y":[2], "x":1},"bind_resource":{"app_guid":"a"},"plan_id":"p","context":{"space_name":"new"}}`,
		`{"plan_id":"p","app_guid":"a","parameters":{"x":1,"y":[2]}}`,
	} {
		NewWithT(t).Expect(of(same)).To(Equal(first), same)
	}
	for _, other := range []string{
		`{"plan_id":"q","app_guid":"a","parameters":{"x":1,"y":[2]}}`,
		`{"plan_id":"p","app_guid":"b","parameters":{"x":1,"y":[2]}}`,
		`{"plan_id":"p","app_guid":"a","parameters":{"x":1,"y":[3]}}`,
		`{"plan_id":"p","app_guid":"a"}`,
		`{"plan_id":"p","app_guid":"a","bind_resource":{"route":"r"},"parameters":{"x":1,"y":[2]}}`,
	} {
		NewWithT(t).Expect(of(other)).NotTo(Equal(first), other)
	}
	NewWithT(t).Expect(first).NotTo(BeEmpty())
}
