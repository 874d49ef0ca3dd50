package broker

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/on-demand-broker/odb/boshclient"
)

// claimType is the type of the named configs by which brokers side by side share a lock: its name is the deployment's. Each
// claim is one version or several, which only its holder makes and deletes.
const claimType = "odb-claim"

const (
	// claimLease is how long a version of a claim holds. All of it is measured by the Director's clock, from the time that
	// the Director gives the version: what a broker's clock shows doesn't matter.
	claimLease = 2 * time.Minute
	// claimGrace is added for others, since the Director tells whole seconds, and for small corrections of its clock.
	claimGrace = 2 * time.Second
)

// claim is what a version says.
type claim struct {
	Holder string `json:"holder"` // the process; its log says the same
	Token  string `json:"token"`  // tells this claim from the holder's others
	Lease  int    `json:"lease"`  // in seconds
	// Until is when the lease ends by the holder's clock: for people who read it, brokers don't.
	Until time.Time `json:"until"`

	// The place that is asked for, if the instance is to be admitted to a plan: see quotas.
	ServiceID string `json:"service_id,omitempty"`
	PlanID    string `json:"plan_id,omitempty"`
	FromPlan  string `json:"from_plan_id,omitempty"`
}

func (c claim) encode() string {
	text, _ := json.Marshal(c) // nothing in it can fail
	return string(text)
}

// claimVersion is a version with what the Director knows of it. Ids grow with time.
type claimVersion struct {
	claim
	name    string
	id      int
	created time.Time
}

// claimVersions reads versions, lowest id first. One whose content isn't a claim's holds like any other.
func claimVersions(configs []boshclient.Config) ([]claimVersion, error) {
	versions := make([]claimVersion, 0, len(configs))
	for _, c := range configs {
		v, err := claimVersionOf(c)
		if err != nil {
			return nil, err
		}
		versions = append(versions, v)
	}
	slices.SortFunc(versions, func(a, b claimVersion) int { return cmp.Compare(a.id, b.id) })
	return versions, nil
}

func claimVersionOf(c boshclient.Config) (claimVersion, error) {
	v := claimVersion{name: c.Name, created: c.Created()}
	var err error
	if v.id, err = strconv.Atoi(c.ID); err != nil {
		return v, fmt.Errorf("config %s of type %s has id %q, which is no number", c.Name, claimType, c.ID)
	}
	if v.created.IsZero() {
		return v, fmt.Errorf("config %s of type %s has created_at %q, which is no time", c.Name, claimType, c.CreatedAt)
	}
	if err := json.Unmarshal([]byte(c.Content), &v.claim); err != nil || v.Token == "" {
		v.claim = claim{Token: "version " + c.ID, Lease: int(claimLease / time.Second)}
	}
	return v, nil
}

// tenure is a claim as its versions tell of it, together.
type tenure struct {
	claim            // as the latest version says
	name      string // the deployment
	first     int    // the id that decides between claims
	asksSince int    // the id of the first version that asks for a place; 0 if none does
	end       time.Time
}

// tenures are the claims in versions (lowest id first), each with its first id. A claim that was renewed too late is a new one
// from then on: somebody else may have had the instance in between.
func tenures(versions []claimVersion) []tenure {
	latest := map[string]int{}
	var all []tenure
	for _, v := range versions {
		i, known := latest[v.Token]
		if !known || v.created.After(all[i].end) {
			i = len(all)
			latest[v.Token] = i
			all = append(all, tenure{name: v.name, first: v.id})
		}
		t := &all[i]
		t.claim, t.end = v.claim, v.created.Add(time.Duration(v.Lease)*time.Second+claimGrace)
		if t.asksSince == 0 && v.PlanID != "" {
			t.asksSince = v.id
		}
	}
	return all
}

// verdict is what a claim's maker learns from the history.
type verdict int

const (
	claimRefused   verdict = iota // another claim comes first
	claimContested                // it comes first, but there are others, of which one may not have seen it
	claimGranted                  // it is the only one
)

// judge decides between the claims on one instance at a moment of the Director's clock. The Director's check of the expected id
// is not one step with the insert, so that there may be several; and an id may be given before another's version, and be seen
// after it. Whoever makes a claim has made it before it reads the others: of two at least one sees the other. So a claim holds
// only if it is alone. If it isn't, those with higher ids withdraw, and the lowest looks again.
func judge(claims []tenure, token string, now time.Time) (v verdict, other tenure) {
	mine, v := -1, claimGranted
	for i, t := range claims {
		if t.Token == token {
			mine = i // a later one of the same claim is what is left of it
		}
	}
	if mine < 0 {
		return claimRefused, other
	}
	for i, t := range claims { // lowest first id first
		switch {
		case t.Token == token || t.end.Before(now):
		case i < mine:
			return claimRefused, t
		default:
			v, other = claimContested, t
		}
	}
	return v, other
}

// claimedPlace is a place in a plan that a claim asks for. Of two that ask at the same moment the lower order comes first.
type claimedPlace struct {
	move
	order int
}

// claimedPlaces are the places of an offering that are asked for now, by instance id. Now is the newest version's time: whoever
// counts has just made one.
func claimedPlaces(versions []claimVersion, serviceID string) map[string]claimedPlace {
	var now time.Time
	for _, v := range versions {
		now = laterOf(now, v.created)
	}
	places := map[string]claimedPlace{}
	for _, t := range tenures(versions) {
		instanceID, ok := instanceOf(t.name)
		if !ok || t.asksSince == 0 || t.ServiceID != serviceID || t.end.Before(now) {
			continue
		}
		places[instanceID] = claimedPlace{move: move{from: t.FromPlan, to: t.PlanID}, order: t.asksSince}
	}
	return places
}

func laterOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// readClaims reads all versions of the claims on a deployment; on all of them if it is empty.
func readClaims(ctx context.Context, configs Configs, deployment string) ([]claimVersion, error) {
	found, err := configs.Configs(ctx, boshclient.ConfigFilter{Type: claimType, Name: deployment, History: true})
	if err != nil {
		return nil, fmt.Errorf("reading the claims: %w", err)
	}
	return claimVersions(found)
}

// claimedPlaces are the places in plans that other admissions ask for, in whatever broker.
func (b *Broker) claimedPlaces(ctx context.Context) (map[string]claimedPlace, error) {
	versions, err := readClaims(ctx, b.Configs, "")
	return claimedPlaces(versions, b.offering.ID), err
}

// sweepClaims removes what claims left that have ended, where nobody has claimed the instance since. Whether a claim has ended is
// for a claim of its own to find out; this process' clock only says where to look.
func (b *Broker) sweepClaims(ctx context.Context) {
	versions, err := readClaims(ctx, b.Configs, "")
	if err != nil {
		b.Logger.WarnContext(ctx, "claim.not-swept", slog.String("error", err.Error()))
		return
	}
	latest := map[string]time.Time{}
	for _, v := range versions {
		latest[v.name] = laterOf(latest[v.name], v.created)
	}
	for _, deployment := range slices.Sorted(maps.Keys(latest)) {
		instanceID, ours := instanceOf(deployment)
		if !ours || b.Now().Sub(latest[deployment]) < claimLease+claimGrace {
			continue
		}
		if _, unlock, refusal := b.lock(ctx, instanceID); refusal == nil {
			unlock()
		}
	}
}
