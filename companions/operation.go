package companions

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/on-demand-broker/odb/cfclient"
	"github.com/on-demand-broker/odb/fleet"
	"github.com/on-demand-broker/odb/mgmtclient"
)

// Operation is the fleet's work: an upgrade or a recreation of each instance. It keeps no file. What was done before is seen
// from Cloud Foundry and from the broker, which leaves alone what is up to date.
//
// An instance goes one way, so that it is deployed once. Where its maintenance version in Cloud Foundry isn't its plan's, that
// is through Cloud Foundry, whose "upgrade available" goes by it; everything else is between the broker and the Director.
type Operation struct {
	roster *Roster
	kind   string // mgmtclient.Upgrade or Recreate
	force  bool

	mu sync.Mutex
	// unanswered are the instances for which something was asked and nobody answered, and when it was asked for.
	unanswered map[string]time.Time
	// unreached are those for which Cloud Foundry hasn't reached a broker that was there.
	unreached unreached
}

// NewUpgrade is the work that brings instances to what is configured now; force redeploys what is up to date.
func NewUpgrade(roster *Roster, force bool) *Operation {
	return &Operation{roster: roster, kind: mgmtclient.Upgrade, force: force, unanswered: map[string]time.Time{}}
}

// NewRecreation is the work that makes the VMs of instances anew.
func NewRecreation(roster *Roster) *Operation {
	return &Operation{roster: roster, kind: mgmtclient.Recreate, unanswered: map[string]time.Time{}}
}

// The ways that an operation goes are the first word of its handle.
const (
	byJob      = "job "      // + Cloud Foundry's job
	byInstance = "instance " // + the maintenance version that the instance in Cloud Foundry is to have
	byBroker   = "broker "   // + the broker's operation data
	byDetails  = "details "  // nobody has told the operation data
)

var _ fleet.Work = (*Operation)(nil)

// Begin implements fleet.Work.
func (o *Operation) Begin(ctx context.Context, member fleet.Member) (fleet.Progress, error) {
	if v, _ := o.roster.versionsOf(member.ID); o.throughPlatform(v) {
		return verdict(o.beginInPlatform(ctx, member.ID, v.plan))
	}
	return verdict(o.beginInBroker(ctx, member.ID))
}

func (o *Operation) throughPlatform(v versions) bool {
	return o.kind == mgmtclient.Upgrade && v.behind()
}

// Poll implements fleet.Work.
func (o *Operation) Poll(ctx context.Context, member fleet.Member, handle string) (fleet.Progress, error) {
	way, rest, _ := strings.Cut(handle, " ")
	switch way + " " {
	case byJob:
		return verdict(o.pollJob(ctx, member.ID, rest))
	case byInstance:
		return verdict(o.pollInstance(ctx, member.ID, rest))
	case byBroker:
		return verdict(o.pollBroker(ctx, member.ID, rest))
	default:
		return verdict(o.pollDetails(ctx, member.ID))
	}
}

// verdict tells what says nothing of the instance from what does.
func verdict(progress fleet.Progress, err error) (fleet.Progress, error) {
	var broker *mgmtclient.Unavailable
	var platform *cfclient.Unavailable
	if errors.As(err, &broker) || errors.As(err, &platform) {
		return progress, fleet.Unavailable{Err: err}
	}
	return progress, err
}

// ask notes that something is asked for, before it is, and tells since when nobody has answered that; zero if it is new.
func (o *Operation) ask(id string) (since time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if since, before := o.unanswered[id]; before {
		return since
	}
	o.unanswered[id] = time.Now()
	return time.Time{}
}

// answered notes that somebody did.
func (o *Operation) answered(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.unanswered, id)
}
