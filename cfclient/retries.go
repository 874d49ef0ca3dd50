package cfclient

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"
)

// tries says how often a request is tried and how long is waited between.
type tries struct {
	most        int           // of a request that fails
	mostRefused int           // of one that is turned away at the door (429, 503 with Retry-After)
	pause       time.Duration // before the second try, four times as much before each later one, ±50 %
	longest     time.Duration // that is waited for a Retry-After if the ctx has no end
}

func usualTries() tries {
	return tries{most: 4, mostRefused: 20, pause: 100 * time.Millisecond, longest: 5 * time.Minute}
}

// retried does a try until it succeeds or the policy, see Client, allows no other one. A repeatable request may be sent
// again although it may have had its effect.
func (e *exchange) retried(request *http.Request, repeatable bool, try func() error) error {
	ctx := request.Context()
	failed, refused := 0, 0
	for {
		err := try()
		var away *Unavailable
		if err == nil || !errors.As(err, &away) || !worthAnotherTry(ctx, repeatable, away) {
			return err
		}
		var wait time.Duration
		if away.sent && away.undone() {
			refused++
			wait = e.tries.backOff(refused)
			if away.retryAfter != retryAfterUnknown { // all who wait must not come back at the same moment
				wait = away.retryAfter + rand.N(wait)
			}
		} else {
			failed++
			wait = e.tries.backOff(failed)
		}
		if failed >= e.tries.most || refused >= e.tries.mostRefused || !e.wait(ctx, wait) {
			return err
		}
		e.logger.DebugContext(ctx, "cf.retrying", slog.String("request", op(request)), slog.Duration("after", wait),
			slog.String("error", away.Error()))
	}
}

// worthAnotherTry tells whether a request that failed this way may succeed when it is sent again, and do no harm.
func worthAnotherTry(ctx context.Context, repeatable bool, away *Unavailable) bool {
	var untrusted *tls.CertificateVerificationError
	if ctx.Err() != nil || away.final || errors.As(away, &untrusted) || errors.Is(away, errTooLarge) {
		return false
	}
	return repeatable || away.undone()
}

func (t tries) backOff(failures int) time.Duration {
	pause := t.pause << (2 * min(failures-1, 4))
	return pause/2 + rand.N(pause)
}

// wait waits, unless the ctx would end before, or it would take too long: then it says no at once.
func (e *exchange) wait(ctx context.Context, pause time.Duration) bool {
	deadline, ends := ctx.Deadline()
	if (ends && time.Until(deadline) <= pause) || (!ends && pause > e.tries.longest) {
		return false
	}
	return sleep(ctx, pause)
}

func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
