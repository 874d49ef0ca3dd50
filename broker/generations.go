package broker

import "sync"

// generations remember something of tasks, by their id, for what may as well be forgotten: what isn't asked for any more falls
// out, so that there are never more than two generations.
type generations[V any] struct {
	mu         sync.Mutex
	young, old map[int]V
}

const generationSize = 2048

func newGenerations[V any]() *generations[V] { return &generations[V]{young: map[int]V{}} }

func (g *generations[V]) get(taskID int) V {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lookUp(taskID)
}

func (g *generations[V]) lookUp(taskID int) V {
	if known, ok := g.young[taskID]; ok {
		return known
	}
	return g.old[taskID]
}

// change replaces what is known by what the function makes of it.
func (g *generations[V]) change(taskID int, to func(V) V) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.young[taskID] = to(g.lookUp(taskID))
	if len(g.young) >= generationSize {
		g.old, g.young = g.young, map[int]V{}
	}
}

func (g *generations[V]) forget(taskID int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.young, taskID)
	delete(g.old, taskID)
}
