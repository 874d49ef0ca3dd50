package cftest

import (
	"net/http"
	"time"
)

const (
	mitigationAttempts = 8
	mitigationFirst    = 50 * time.Millisecond
)

// mitigate sends, in nobody's name, the request that removes what a broker may have left behind: again, after twice the
// time, as long as the broker can't do it.
func (c *CloudController) mitigate(access brokerAccess, request osbRequest) {
	c.running.Add(1)
	go func() {
		defer c.running.Done()
		pause := mitigationFirst
		for range mitigationAttempts {
			answer, failure := c.sendOSB(c.ctx, access, request)
			if failure == nil && answer.status < http.StatusInternalServerError {
				return
			}
			if !c.sleep(c.ctx, pause) {
				return
			}
			pause *= 2
		}
	}()
}
