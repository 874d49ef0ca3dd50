// Package boshclient speaks the BOSH Director's HTTP API: it submits and reads, and never waits for a task.
// It knows nothing of service instances, adapters or OSB.
package boshclient
