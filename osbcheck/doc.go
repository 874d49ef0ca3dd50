// Package osbcheck asks a broker, any broker, whether it does what the Open Service Broker API 2.17 and its profile want:
// one check for each row of a list that goes through the specification (A1 … L7). It knows no room beside it, and nothing
// of the broker but its URL.
//
// The checks share one service instance, which is made, updated and deleted in the course of a run, and have it at the
// moment that suits them (see phase). What was made is removed at the end, also when the run is interrupted.
package osbcheck
