package cfclient

import "time"

// Hurry makes a client's pauses a hundred times shorter, and its patience too.
func Hurry(c *Client) {
	c.exchange.tries.pause /= 100
	c.exchange.tries.longest /= 100
	c.waits.firstPoll /= 100
	c.waits.longestPoll /= 100
	c.waits.busy /= 1000
	c.waits.away /= 1000
}

// EndToken makes a client's token end in so much time.
func EndToken(c *Client, in time.Duration) { c.exchange.session.expires = time.Now().Add(in) }
