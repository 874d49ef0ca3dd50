// Package server is the HTTP edge of the broker: OSB through brokerapi, health, TLS, time limits, and the one
// mapping from an error to a status. It decides nothing about service instances.
//
// A request passes the steps of the tables in handler.go, and then brokerapi's handlers or, where OSB 2.17 has more to say
// than these, those of reading.go.
package server
