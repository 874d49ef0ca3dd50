package broker

import (
	"maps"
	"sync"
)

// generations remember something, by a key such as a task's id, for what may as well be forgotten: what isn't changed any more
// falls out, so that there are never more than two generations.
type generations[K comparable, V any] struct {
	mu         sync.Mutex
	young, old map[K]V
}

const generationSize = 2048

func newGenerations[K comparable, V any]() *generations[K, V] {
	return &generations[K, V]{young: map[K]V{}}
}

func (g *generations[K, V]) get(key K) V {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lookUp(key)
}

func (g *generations[K, V]) lookUp(key K) V {
	if known, ok := g.young[key]; ok {
		return known
	}
	return g.old[key]
}

// change replaces what is known by what the function makes of it.
func (g *generations[K, V]) change(key K, to func(V) V) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.young[key] = to(g.lookUp(key))
	if len(g.young) >= generationSize {
		g.old, g.young = g.young, map[K]V{}
	}
}

func (g *generations[K, V]) forget(key K) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.young, key)
	delete(g.old, key)
}

// forgetAll forgets what it is told to.
func (g *generations[K, V]) forgetAll(which func(K) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, generation := range []map[K]V{g.young, g.old} {
		maps.DeleteFunc(generation, func(key K, _ V) bool { return which(key) })
	}
}
