package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// Repair says what of an instance to mend.
type Repair struct {
	Apply []string // codes of findings
	All   bool     // all that can be mended
	Removal
}

// Repaired is what a repair did, in the form of the management API.
type Repaired struct {
	InstanceID string    `json:"service_instance_id"`
	Mended     []Mended  `json:"mended"`
	Skipped    []Skipped `json:"skipped"`
	// Operation was begun, and is to be polled; missing if there is none.
	Operation json.RawMessage `json:"operation,omitempty"`
}

// Mended is a finding that is no more.
type Mended struct {
	Code string `json:"code"`
	Done string `json:"done"`
}

// Skipped is a finding that was left as it is.
type Skipped struct {
	Code string `json:"code"`
	Why  string `json:"why"`
}

// Repair looks at an instance under its lock and mends what it is told to, as far as nothing is taken from the platform that
// it knows (management API, POST …/repair). What fails leaves what was mended before it mended.
func (b *Broker) Repair(ctx context.Context, instanceID string, r Repair) (Repaired, error) {
	ctx, cancel := b.detached(about(ctx, instanceID))
	defer cancel()
	if refusal := r.check(); refusal != nil {
		return Repaired{}, refusal
	}
	ctx, unlock, refusal := b.lock(ctx, instanceID)
	if refusal != nil {
		return Repaired{}, refusal
	}
	defer unlock()
	done, err := b.repair(ctx, instanceID, r)
	if err != nil {
		return Repaired{}, b.failed(ctx, instanceID, "", err)
	}
	return done, nil
}

func (r Repair) check() *Error {
	known := FindingCodes()
	for _, code := range r.Apply {
		if !slices.Contains(known, code) {
			return refuse(BadRequest, "apply: there is no finding %q; there are %s", code, strings.Join(known, ", "))
		}
	}
	if len(r.Apply) == 0 && !r.All {
		return refuse(BadRequest, "apply must list the codes of the findings to mend, or all must be true")
	}
	return nil
}

func (b *Broker) repair(ctx context.Context, instanceID string, r Repair) (Repaired, error) {
	done := Repaired{InstanceID: instanceID, Mended: []Mended{}, Skipped: []Skipped{}}
	f, err := b.lookWithPlatform(ctx, instanceID, r.Platform)
	if err != nil {
		return done, err
	}
	if err := f.incomplete(); err != nil { // what isn't seen would pass for mended
		return done, err
	}
	found := b.findings(f)
	for _, code := range r.Apply {
		if !slices.ContainsFunc(found, func(finding Finding) bool { return finding.Code == code }) {
			done.Skipped = append(done.Skipped, Skipped{code, notFound(found)})
		}
	}
	for _, finding := range found {
		if !r.All && !slices.Contains(r.Apply, finding.Code) {
			continue
		}
		if why := b.notNow(f, finding, r.Removal); why != "" {
			done.Skipped = append(done.Skipped, Skipped{finding.Code, why})
			continue
		}
		if err := b.mend(ctx, f, finding, r.Force, &done); err != nil {
			return done, fmt.Errorf("mending %s: %w", finding.Code, err)
		}
		b.Logger.InfoContext(ctx, "repair.mended", slog.String("finding", finding.Code))
	}
	return done, nil
}

// notFound says why a finding isn't there: it was mended before, or something keeps from judging.
func notFound(found []Finding) string {
	for _, finding := range found {
		if finding.Code == OperationRunning || finding.Code == OtherService {
			return finding.Description
		}
	}
	return "it isn't found"
}

// notNow says why a finding is left as it is; empty if it is to be mended.
func (b *Broker) notNow(f facts, finding Finding, r Removal) string {
	if !finding.Mendable {
		return finding.Step
	}
	if finding.Code == OperationStuck { // nothing is removed
		return ""
	}
	if refusal := f.mayRemove(b.offering.ID, r.Grace, b.Now()); refusal != nil {
		return refusal.Message
	}
	return ""
}

// mend mends one finding that may be mended.
func (b *Broker) mend(ctx context.Context, f facts, finding Finding, force bool, done *Repaired) error {
	did := "removed"
	switch finding.Code {
	case OperationStuck:
		state, err := b.settle(ctx, f)
		if err != nil {
			return err
		}
		did = "remembered as " + state
	case OrphanFound:
		operation, err := b.deleteOrphan(ctx, f, force)
		if err != nil {
			return err
		}
		done.Operation, did = json.RawMessage(operation), "the deletion was begun"
	default:
		for _, place := range leftovers() {
			if place.code != finding.Code {
				continue
			}
			if err := place.clear(ctx, b, f); err != nil {
				return err
			}
		}
	}
	done.Mended = append(done.Mended, Mended{finding.Code, did})
	return nil
}

// settle ends an operation of which the Director has no task: as what is deployed tells, and as failed if that doesn't tell.
func (b *Broker) settle(ctx context.Context, f facts) (state string, err error) {
	o := f.configs.record.Operation.asOperation()
	end, err := b.endOf(ctx, f.instanceID, o)
	if err != nil {
		return "", err
	}
	if state = stateFailed; end == succeed {
		state = stateSucceeded
		if err := b.cleanUp(ctx, f.instanceID, o, 0); err != nil {
			return "", err
		}
	}
	if err := b.rememberState(ctx, deploymentName(f.instanceID), o, state); err != nil {
		return "", err
	}
	b.carrier.drop(f.instanceID, o.BoshContextID)
	return state, nil
}
