package adapterclient

import (
	"sync"
	"syscall"
	"time"
)

// processGroup is the adapter and what it started, unless it moved away. Its id is the adapter's process id, which
// belongs to it for as long as the adapter isn't reaped: end must be called before that, and nothing is signalled after it.
type processGroup struct {
	id int

	mu     sync.Mutex
	killer *time.Timer
	ended  bool
}

// terminate asks the group to end, and kills it after the grace.
func (g *processGroup) terminate(grace time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended {
		return
	}
	_ = syscall.Kill(-g.id, syscall.SIGTERM) // The only failure is that nobody is left.
	g.killer = time.AfterFunc(grace, g.kill)
}

func (g *processGroup) kill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.ended {
		_ = syscall.Kill(-g.id, syscall.SIGKILL) // The only failure is that nobody is left.
	}
}

// end kills what is left of the group and ends all signalling.
func (g *processGroup) end() {
	g.kill()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
	if g.killer != nil {
		g.killer.Stop()
	}
}
