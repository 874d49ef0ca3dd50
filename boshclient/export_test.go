package boshclient

import "time"

// HurryUp shortens the pauses between tries.
func HurryUp(c *Client) { c.pause = 5 * time.Millisecond }
