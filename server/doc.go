// Package server is the HTTP edge of the broker: OSB through brokerapi, health, TLS, time limits, and the one
// mapping from an error to a status. It decides nothing about service instances.
//
// A request passes, from the outside in: recovery, naming (request id, identity, log), the access log, then,
// except for /healthz and /readyz, authentication, the OSB version, ids, body, and brokerapi's handlers.
package server
