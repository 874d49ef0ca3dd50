package broker

import (
	"cmp"
	"encoding/json"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/adapterclient"
)

// bindVerdict is what a bind is to the binding that is known under its id (OSB 2.17, Binding).
type bindVerdict int

const (
	newBinding     bindVerdict = iota // nothing is known: the adapter may still know better
	sameBinding                       // it is there, and its answer is given again
	sameUnanswered                    // it is there, and the adapter is asked what it says of it
	otherBinding                      // it is there, or being made, with other attributes
	sameGoesOn                        // it is being made
	busyBinding                       // it is being taken back
)

// judgeBind compares a bind with what is known.
func judgeBind(known *knownBinding, digest string) bindVerdict {
	switch {
	case known == nil:
		return newBinding
	case known.Operation.Type == OperationUnbind && known.Operation.goesOn():
		return busyBinding
	case known.Digest == "":
		return newBinding
	case known.Operation.Type == OperationBind && known.Operation.State == domain.Failed:
		return newBinding
	case known.Digest != digest:
		return otherBinding
	case known.Operation.goesOn():
		return sameGoesOn
	case known.Answer == nil:
		return sameUnanswered
	default:
		return sameBinding
	}
}

// again is the answer to a bind of what is there already.
func again(made adapterclient.Binding) domain.Binding {
	answer := osbBinding(made)
	answer.AlreadyExists = true
	return answer
}

// bindDigest tells binds apart by all that they ask for, without telling what that is. The context isn't part of it: names and
// annotations may have changed since.
func bindDigest(instanceID string, details domain.BindDetails, parameters json.RawMessage) string {
	var resource domain.BindResource
	if details.BindResource != nil {
		resource = *details.BindResource
	}
	resource.AppGuid = cmp.Or(resource.AppGuid, details.AppGUID) // two places for the same
	text, err := json.Marshal(struct {
		PlanID     string
		Resource   domain.BindResource
		Parameters json.RawMessage
	}{details.PlanID, resource, parameters})
	if err != nil {
		return "" // like no other
	}
	return digest(instanceID, text)
}
