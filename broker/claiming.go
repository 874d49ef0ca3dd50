package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/on-demand-broker/odb/boshclient"
)

const (
	// claimSettling is how long the first of several claims made at the same moment waits for the others to withdraw.
	claimSettling = 250 * time.Millisecond
	// claimRenewal is how often a claim is renewed while it is held.
	claimRenewal = 20 * time.Second
	// claimRelease bounds how long a request may take to give its claim back. What isn't given back ends by itself.
	claimRelease = 5 * time.Second
)

// errClaimLost is why work ends whose claim couldn't be renewed: another broker may go on with the instance soon.
var errClaimLost = errors.New("the claim on the instance could not be renewed in time")

// heldClaim is a claim that this process has, or tries to get.
type heldClaim struct {
	configs    Configs
	logger     *slog.Logger
	now        func() time.Time
	deployment string
	stop, done chan struct{}

	mu        sync.Mutex
	claim     claim
	ids       []string  // of its versions
	sent      time.Time // before the latest version was, by this process' clock
	end       time.Time // by the Director's clock
	uncertain bool      // there may be a version whose id isn't known
	left      bool      // it is to end by itself
}

type heldClaimKey struct{}

// heldClaimOf is the claim that ctx was handed out with; nil without brokers side by side.
func heldClaimOf(ctx context.Context) *heldClaim {
	held, _ := ctx.Value(heldClaimKey{}).(*heldClaim)
	return held
}

// claimInstance takes the instance's claim or refuses. The context that it returns ends when the claim is lost.
func (b *Broker) claimInstance(ctx context.Context, instanceID string) (claimed context.Context, release func(), refusal *Error) {
	h := &heldClaim{
		configs: b.Configs, logger: b.Logger, now: b.Now, deployment: deploymentName(instanceID),
		stop: make(chan struct{}), done: make(chan struct{}),
		claim: claim{Holder: b.process, Token: uuid.NewString(), Lease: int(claimLease / time.Second)},
	}
	if err := h.take(ctx); err != nil {
		h.giveBack(ctx)
		return ctx, nil, b.notClaimed(ctx, instanceID, err)
	}
	claimed, lose := context.WithCancelCause(context.WithValue(ctx, heldClaimKey{}, h))
	go h.keep(claimed, lose)
	return claimed, func() {
		close(h.stop)
		<-h.done
		lose(nil)
		h.giveBack(ctx)
	}, nil
}

func (b *Broker) notClaimed(ctx context.Context, instanceID string, err error) *Error {
	if isUnavailable(err) || ctx.Err() != nil {
		return &Error{Kind: Unavailable, Message: "Currently unable to work on the service instance, please try again later", Cause: err}
	}
	return b.failed(ctx, instanceID, "", err)
}

// take makes a version of the claim and reads who has the instance. That the first expected id is wrong tells that somebody
// has claimed it before; only the Director's clock can tell whether that claim has ended, and shows it with a version.
func (h *heldClaim) take(ctx context.Context) error {
	err := h.write(ctx, new("0"))
	var changed *boshclient.ConfigChanged
	if errors.As(err, &changed) {
		err = h.write(ctx, &changed.LatestID)
	}
	switch {
	case errors.Is(err, boshclient.ErrConfigChanged):
		return operationInProgress() // somebody else does the same at this moment
	case err != nil:
		return fmt.Errorf("claiming deployment %s: %w", h.deployment, err)
	}
	v, other, err := h.judged(ctx)
	if err == nil && v == claimContested {
		if err = pause(ctx, claimSettling); err == nil {
			v, other, err = h.judged(ctx)
		}
	}
	switch {
	case err != nil:
		return err
	case v != claimGranted:
		h.logger.InfoContext(ctx, "claim.refused", slog.String("holder", other.Holder))
		return operationInProgress()
	}
	return nil
}

// judged reads the history and decides. What ended claims left, of brokers that died, goes with the claim's success.
func (h *heldClaim) judged(ctx context.Context) (v verdict, other tenure, err error) {
	versions, err := readClaims(ctx, h.configs, h.deployment)
	if err != nil {
		return claimRefused, other, err
	}
	claims, now := tenures(versions), versionTime(versions, h.claim.Token)
	if v, other = judge(claims, h.claim.Token, now); v == claimGranted {
		h.removeEnded(ctx, versions)
	}
	return v, other, nil
}

// versionTime is when the claim's latest version was made.
func versionTime(versions []claimVersion, token string) time.Time {
	var at time.Time
	for _, v := range versions {
		if v.Token == token {
			at = v.created
		}
	}
	return at
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// write makes a version of the claim.
func (h *heldClaim) write(ctx context.Context, expected *string) error {
	sent := h.now()
	request := boshclient.CreateConfig{Type: claimType, Name: h.deployment, Content: h.text(sent), ExpectedLatestID: expected}
	made, err := h.configs.CreateConfig(ctx, request)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		h.uncertain = h.uncertain || outcomeUnknown(err)
		return err
	}
	h.ids = append(h.ids, made.ID)
	v, err := claimVersionOf(made)
	switch {
	case err != nil:
		return err
	case !h.end.IsZero() && v.created.After(h.end):
		return h.lost()
	}
	h.sent, h.end = laterOf(h.sent, sent), laterOf(h.end, v.created.Add(claimLease))
	return nil
}

// text is the next version's. No two are the same, of which the Director would make one.
func (h *heldClaim) text(sent time.Time) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.claim.Until = sent.Add(claimLease).UTC()
	return h.claim.encode()
}

// keep renews the claim until it is given back, or can't be kept.
func (h *heldClaim) keep(ctx context.Context, lose context.CancelCauseFunc) {
	defer close(h.done)
	ticker := time.NewTicker(claimRenewal)
	defer ticker.Stop()
	for {
		select {
		case <-h.stop:
			return
		case <-ticker.C:
		}
		err := h.renew(ctx)
		if err != nil {
			h.logger.WarnContext(ctx, "claim.not-renewed", slog.String("error", err.Error()))
		}
		if errors.Is(err, errClaimLost) || !h.holds() {
			lose(errClaimLost)
			return
		}
	}
}

func (h *heldClaim) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, claimRenewal) // the next try comes then
	defer cancel()
	return h.write(ctx, nil)
}

// holds tells whether something may still be submitted: what is, may arrive late, and must have done so when the claim ends.
func (h *heldClaim) holds() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now().Sub(h.sent) < claimLease-lateArrival
}

// mustHold refuses to submit anything for an instance that another broker may have claimed by then.
func mustHold(ctx context.Context) error {
	if h := heldClaimOf(ctx); h != nil && !h.holds() {
		return h.lost()
	}
	return nil
}

// lost is the error of what may no longer be done: it was surely not submitted.
func (h *heldClaim) lost() error {
	return &boshclient.Unavailable{Op: "claim on " + h.deployment, Cause: errClaimLost}
}

// leaveClaim lets the claim end by itself, after something was submitted of which nobody knows whether it will arrive: until
// then no broker submits anything for the instance.
func leaveClaim(ctx context.Context) {
	if h := heldClaimOf(ctx); h != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.left = true
	}
}

// ask lets the claim ask for a place in a plan: whoever counts from now on sees it.
func (h *heldClaim) ask(ctx context.Context, serviceID string, place move) error {
	h.mu.Lock()
	h.claim.ServiceID, h.claim.FromPlan, h.claim.PlanID = serviceID, place.from, place.to
	h.mu.Unlock()
	if err := h.write(ctx, nil); err != nil {
		return fmt.Errorf("claiming a place in the plan: %w", err)
	}
	return nil
}

// giveBack deletes the claim's versions, the first one last: it is the one that counts. What fails is told, and ends with
// the lease.
func (h *heldClaim) giveBack(ctx context.Context) {
	if h.left {
		h.logger.InfoContext(ctx, "claim.left", slog.Duration("for", claimLease))
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimRelease)
	defer cancel()
	if h.uncertain {
		versions, _ := readClaims(ctx, h.configs, h.deployment)
		for _, v := range versions {
			if id := strconv.Itoa(v.id); v.Token == h.claim.Token && !slices.Contains(h.ids, id) {
				h.ids = append(h.ids, id)
			}
		}
	}
	for _, id := range slices.Backward(h.ids) {
		h.removeVersion(ctx, id)
	}
}

// removeEnded deletes all versions but its own. It is the only claim that hasn't ended.
func (h *heldClaim) removeEnded(ctx context.Context, versions []claimVersion) {
	for _, v := range versions {
		if v.Token != h.claim.Token {
			h.removeVersion(ctx, strconv.Itoa(v.id))
		}
	}
}

func (h *heldClaim) removeVersion(ctx context.Context, id string) {
	if err := h.configs.DeleteConfigVersion(ctx, id); err != nil && !errors.Is(err, boshclient.ErrNotFound) {
		h.logger.WarnContext(ctx, "claim.not-removed", slog.String("config_id", id), slog.String("error", err.Error()))
	}
}
