package broker

import "testing"

// Which plans a bind may name: only what is certainly not the instance's is refused.
func TestPlansThatMayBeTheInstances(t *testing.T) {
	const before, after = "manifest before", "manifest after"
	operation := func(of OperationType, change ...func(*recordedOperation)) recordedOperation {
		o := recordedOperation{Type: of, Manifest: manifestDigest(after), ManifestBefore: manifestDigest(before)}
		for _, c := range change {
			c(&o)
		}
		return o
	}
	state := func(state string) func(*recordedOperation) { return func(o *recordedOperation) { o.State = state } }
	errands := func(o *recordedOperation) { o.Errands = []Errand{{Name: "smoke"}} }
	small := &terms{PlanID: "small"}
	for name, c := range map[string]struct {
		record   record
		deployed string
		allowed  string
	}{
		"created":                             {record{Operation: operation(OperationCreate)}, after, "large"},
		"changed":                             {record{Before: small, Operation: operation(OperationUpdate)}, after, "large"},
		"being changed, or that failed":       {record{Before: small, Operation: operation(OperationUpdate)}, before, "large small"},
		"changed, and deployed by hand since": {record{Before: small, Operation: operation(OperationUpdate)}, "another", "large small"},
		"its errands not done":                {record{Before: small, Operation: operation(OperationUpdate, errands)}, after, "large small"},
		"its errands done":                    {record{Before: small, Operation: operation(OperationUpdate, errands, state(stateSucceeded))}, after, "large"},
		"its errands failed":                  {record{Before: small, Operation: operation(OperationUpdate, errands, state(stateFailed))}, after, "large small"},
		"upgraded":                            {record{Before: &terms{PlanID: "large"}, Operation: operation(OperationUpgrade)}, before, "large"},
		"nobody said what was before":         {record{Operation: operation(OperationUpdate)}, before, "large small other"},
		"nobody said, and it is done":         {record{Operation: operation(OperationUpdate)}, after, "large"},
		"nobody said, and something followed": {record{Operation: recordedOperation{Type: OperationRecreate, State: stateSucceeded}}, after, "large small other"},
	} {
		c.record.terms = terms{PlanID: "large"}
		allowed := ""
		for _, plan := range []string{"large", "small", "other"} {
			if c.record.mayBeOf(plan, c.deployed) {
				allowed += " " + plan
			}
		}
		if allowed != " "+c.allowed {
			t.Errorf("%s: allows%s, not %s", name, allowed, c.allowed)
		}
	}
}
