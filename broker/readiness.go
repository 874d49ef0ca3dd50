package broker

import (
	"context"
	"sync"
	"time"
)

// Readiness says whether the broker can do its work, for /readyz. It names no addresses: anybody may ask.
type Readiness struct {
	Ready   bool   `json:"ready"`
	Catalog string `json:"catalog"`
	// Director is "ok", or what is wrong.
	Director string `json:"director"`
}

// Times of the readiness probe.
const (
	// directorFreshness is how old the Director's last answer may be and still count.
	directorFreshness = 30 * time.Second
	// probeInterval is how often the Director is asked at the most, however often the broker is.
	probeInterval = 5 * time.Second
	probeTimeout  = 5 * time.Second
)

// probe asks the Director whether it is there and knows us, and remembers the answer for a while.
type probe struct {
	health DirectorHealth
	now    func() time.Time

	mu       sync.Mutex
	asked    time.Time
	answer   string
	verified bool // the Director has accepted our credentials since the last time it didn't
}

func newProbe(health DirectorHealth, now func() time.Time) *probe {
	return &probe{health: health, now: now}
}

const directorOK = "ok"

// director is the state of the Director in a word. Requests that the broker made for others count: only when the last
// answer is old is it asked.
func (p *probe) director(ctx context.Context) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.verified && now.Sub(p.health.LastAnswer()) < directorFreshness {
		return directorOK
	}
	if !p.asked.IsZero() && now.Sub(p.asked) < probeInterval {
		return p.answer
	}
	p.asked = now
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	p.answer = p.ask(ctx)
	p.verified = p.answer == directorOK
	return p.answer
}

func (p *probe) ask(ctx context.Context) string {
	info, err := p.health.Info(ctx)
	switch {
	case err != nil:
		return "does not answer"
	case info.User == "":
		return "does not accept the broker's credentials"
	default:
		return directorOK
	}
}

// Readiness is what /readyz tells.
func (b *Broker) Readiness(ctx context.Context) Readiness {
	director := b.probe.director(context.WithoutCancel(ctx)) // an impatient asker must not decide what the next one is told
	return Readiness{Ready: director == directorOK, Catalog: "ok", Director: director}
}
