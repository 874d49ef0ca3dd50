// Package fleet carries one operation over many service instances: canaries first, never more than a set number in flight, busy
// ones tried again, failures collected, and told all along in events that are drawn as log lines, on a terminal or as JSON.
//
// It is one engine for every bulk operation. What the operation is, a Work knows; the room knows neither Cloud Foundry nor the
// broker nor BOSH. It keeps no file: what was done is seen from the platform and the Director, where a Work answers Skipped for
// what needs nothing any more, so that a run that was killed is simply run again.
//
// Decisions are pure (phase.go, pace.go, filter.go, plan.go, summary.go); run.go and follow.go have the goroutines. Time is the time
// package's, and the tests run in testing/synctest's bubbles, where hours pass in no time.
package fleet
