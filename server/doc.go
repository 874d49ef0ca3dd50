// Package server is the HTTP edge of the broker: OSB through brokerapi, health, TLS, time limits, and the
// one mapping from an error to a status.
package server
