package companions

import (
	"sync"
	"time"
)

// unreached are the instances for which Cloud Foundry has not reached the broker, and since when. What never came to the broker is asked
// for again: Cloud Foundry doesn't try by itself, and a broker that restarts must not cost all operations of that minute.
type unreached struct {
	mu    sync.Mutex
	since map[string]time.Time
}

// longerThan notes that the broker was not reached for the instance, and tells whether it has been so for longer than that.
func (u *unreached) longerThan(limit time.Duration, id string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	since, before := u.since[id]
	if !before {
		since = time.Now()
		if u.since == nil {
			u.since = map[string]time.Time{}
		}
		u.since[id] = since
	}
	return time.Since(since) > limit
}
