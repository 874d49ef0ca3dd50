package companions

import (
	"context"
	"fmt"
	"strings"

	"github.com/on-demand-broker/odb/cfclient"
)

// Withdraw takes the access to all plans from everybody but administrators, so that no instance is made any more. before says, a
// plan each, who had it; also if an error ends it halfway.
func Withdraw(ctx context.Context, platform Visibilities, plans []cfclient.Plan, telling Telling) (before []string, err error) {
	nobody := Registration{}
	for _, plan := range plans {
		change, err := nobody.accessOf(ctx, platform, plan, PlanAccess{Plan: plan.Name, Access: AccessDisable}, nil)
		if err == nil {
			err = change.apply(ctx, platform, plan)
		}
		if err != nil {
			return before, fmt.Errorf("access to plan %s: %w", plan.Name, err)
		}
		if !change.due() {
			telling.tell("plan %s: access is for nobody already", plan.Name)
			continue
		}
		telling.tell("plan %s: access was for %s, is now for nobody", plan.Name, whoHas(change.now))
		before = append(before, fmt.Sprintf("%s was for %s", plan.Name, whoHas(change.now)))
	}
	return before, nil
}

// WithdrawnText says what access to the plans is like after Withdraw, to those for whom what came next went wrong.
func WithdrawnText(before []string) string {
	return "nobody has access to the plans now" + inBrackets(before) + ": " + wayOn
}

// HalfWithdrawnText says the same after a Withdraw that failed.
func HalfWithdrawnText(before []string) string {
	if len(before) == 0 {
		return "access to the plans is as it was"
	}
	return "access was taken away from some plans" + inBrackets(before) + ": " + wayOn
}

const wayOn = "run this again, or register the broker to give access as it is configured"

func inBrackets(before []string) string {
	if len(before) == 0 {
		return ""
	}
	return " (" + strings.Join(before, "; ") + ")"
}
