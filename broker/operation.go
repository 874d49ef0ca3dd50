package broker

import (
	"encoding/json"
	"errors"
	"fmt"
)

// OperationType says what an operation does to an instance.
type OperationType string

// The types that an operation string may carry; bind and unbind name an operation in logs and errors only.
const (
	OperationCreate      OperationType = "create"
	OperationUpdate      OperationType = "update"
	OperationUpgrade     OperationType = "upgrade"
	OperationRecreate    OperationType = "recreate"
	OperationDelete      OperationType = "delete"
	OperationForceDelete OperationType = "force-delete"
	OperationBind        OperationType = "bind"
	OperationUnbind      OperationType = "unbind"
)

// Operation is the cursor that the platform keeps for us between two polls: the `operation` string of OSB, as
// JSON. The field names are a contract with operations in flight, written by this broker or by its predecessor.
type Operation struct {
	BoshTaskID    int
	BoshContextID string `json:",omitempty"`
	OperationType OperationType
	PlanID        string `json:",omitempty"`
	// PostDeployErrand and PreDeleteErrand are no longer used, but readers of old expect them.
	PostDeployErrand Errand
	PreDeleteErrand  Errand
	Errands          []Errand `json:",omitempty"`
	// Configs are the types of the BOSH configs that the instance had when its deletion was submitted, to be removed
	// at its end. It is nil if nobody looked, as in operations of the predecessor.
	Configs *[]string `json:",omitempty"`
	// UAAClient says that the instance has a client in the platform's UAA, which goes with it.
	UAAClient bool `json:",omitempty"`
	// Parameters says that the instance's parameters are in the platform's CredHub, and go with it.
	Parameters bool `json:",omitempty"`
	// Cancels is the context id of the instance's creation, if its deletion began while that was under way: its tasks are
	// cancelled, and have to be over, before anything is deleted.
	Cancels string `json:",omitempty"`
}

// Errand is one lifecycle errand of an operation and the instances that it runs on.
type Errand struct {
	Name      string   `json:",omitempty"`
	Instances []string `json:",omitempty"`
}

// maxOperationLength is what OSB 2.17 allows for an operation string, in characters.
const maxOperationLength = 10_000

func (o Operation) encode() (string, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("encoding the operation: %w", err)
	}
	if len(text) > maxOperationLength {
		return "", fmt.Errorf("the operation string would have %d characters, OSB allows %d", len(text), maxOperationLength)
	}
	return string(text), nil
}

func decodeOperation(text string) (Operation, error) {
	if text == "" {
		return Operation{}, errors.New("the operation is missing: send the one that the broker returned")
	}
	if len(text) > maxOperationLength {
		return Operation{}, fmt.Errorf("the operation has %d characters, more than the broker ever returns", len(text))
	}
	var operation Operation
	if err := json.Unmarshal([]byte(text), &operation); err != nil {
		return Operation{}, errors.New("the operation can't be read: send the one that the broker returned")
	}
	if _, known := operationNouns[operation.OperationType]; !known {
		return Operation{}, fmt.Errorf("the operation is of an unknown type %q: send the one that the broker returned", operation.OperationType)
	}
	if operation.BoshTaskID < 0 || (operation.taskless() && !operation.deletes()) {
		return Operation{}, errors.New("the operation has no task that it could be known by: send the one that the broker returned")
	}
	return operation, nil
}

// taskless tells whether no task can be found for the operation. The predecessor gave such ones to deletions of deployments that
// went away meanwhile.
func (o Operation) taskless() bool { return o.BoshTaskID == 0 && o.BoshContextID == "" }

func (o Operation) deletes() bool {
	return o.OperationType == OperationDelete || o.OperationType == OperationForceDelete
}

// operationNouns are the words by which last_operation describes each type that can be polled.
var operationNouns = map[OperationType]string{
	OperationCreate:      "provisioning",
	OperationUpdate:      "update",
	OperationUpgrade:     "upgrade",
	OperationRecreate:    "recreate",
	OperationDelete:      "deletion",
	OperationForceDelete: "forced deletion",
}
