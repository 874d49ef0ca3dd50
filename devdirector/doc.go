// Package devdirector is a development BOSH Director: the Director's HTTP API in one process, for odb dev, for the
// tests and for benchmarks. It answers as recorded from a real Director (testdata/recorded): the contract test
// replays those exchanges.
//
// It has no background work. Tasks are plans of timed steps, and each request first brings the world to the clock's
// now: whatever should have happened until then happens, in order and with its own time. So a clock that a test moves
// is all it takes to move tasks, locks and queues.
//
// It knows nothing of the broker and runs no VM.
package devdirector
