package companions

import (
	"context"
	"errors"
	"sync"

	"github.com/on-demand-broker/odb/fleet"
	"github.com/on-demand-broker/odb/mgmtclient"
)

// Outlook is what the operation would come to for one instance.
type Outlook struct {
	Member fleet.Member `json:"instance"`
	// Due tells whether it would be deployed.
	Due bool `json:"due"`
	// From and To are the maintenance versions, if the upgrade would go through Cloud Foundry; there they say "none" for none.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Changes are those that wait, nil if they can't be told; then Unknown says why.
	Changes *mgmtclient.PendingChanges `json:"changes,omitempty"`
	Unknown string                     `json:"unknown,omitempty"`
}

// Outlooks tells of each member what the operation would do, in their order, and changes nothing. For an upgrade the broker runs
// the adapter for each, so many at a time. It ends early only if show does not want any more, or ctx ends.
func (o *Operation) Outlooks(ctx context.Context, members []fleet.Member, atOnce int, show func(Outlook) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var working sync.WaitGroup
	defer working.Wait()
	defer cancel()                                     // before the wait
	queue := make(chan chan Outlook, max(atOnce, 1)-1) // beside the one that is waited for
	working.Go(func() {
		defer close(queue)
		for _, member := range members {
			told := make(chan Outlook, 1)
			select {
			case queue <- told:
				working.Go(func() { told <- o.outlook(ctx, member) })
			case <-ctx.Done():
				return
			}
		}
	})
	for told := range queue {
		if err := show(<-told); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (o *Operation) outlook(ctx context.Context, member fleet.Member) Outlook {
	told := Outlook{Member: member, Due: o.force}
	if o.kind == mgmtclient.Recreate { // whatever is deployed
		told.Due = true
		return told
	}
	if v, _ := o.roster.versionsOf(member.ID); o.throughPlatform(v) {
		told.Due, told.From, told.To = true, orNone(v.deployed), orNone(v.plan)
	}
	changes, err := o.roster.broker.Pending(ctx, member.ID, member.PlanID)
	switch {
	case errors.Is(err, mgmtclient.ErrBusy):
		told.Unknown = "another operation is under way"
	case errors.Is(err, mgmtclient.ErrNotFound):
		told.Due, told.Unknown = false, "there is no deployment"
	case err != nil:
		told.Unknown = err.Error()
	default:
		told.Due, told.Changes = told.Due || changes.Pending, &changes
	}
	return told
}
