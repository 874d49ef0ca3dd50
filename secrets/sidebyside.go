package secrets

import "sync"

// maxSideBySide is how many requests one call may have under way in CredHub.
const maxSideBySide = 8

// sideBySide calls do for 0 … count-1, some at the same time, and returns when all are done.
func sideBySide(count int, do func(i int)) {
	var all sync.WaitGroup
	room := make(chan struct{}, maxSideBySide)
	for i := range count {
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			do(i)
		})
	}
	all.Wait()
}
