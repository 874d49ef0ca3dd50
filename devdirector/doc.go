// Package devdirector is a development BOSH Director: the Director's HTTP API in one process, for odb dev, for the
// tests and for benchmarks. It answers as recorded from a real Director (testdata/recorded): the contract test
// replays those exchanges.
//
// It has no background work. Tasks are plans of timed steps, and each request first brings the world to the clock's
// now: whatever should have happened until then happens, in order and with its own time. So a clock that a test moves
// is all it takes to move tasks, locks and queues.
//
// What can be steered: time (Clock, TaskDuration, QueueDelay, Latency), what becomes of tasks (Outcome) and of errands
// (Errand), what goes wrong on the wire (Fault), what is there from the start (Seed). With Control, the same over HTTP.
//
// With a StateDir the Director can be killed at any moment: what was answered is there again when it is started anew.
// Tasks that ran then start over, as if a worker had picked them up again; queued ones keep their order.
//
// It knows nothing of the broker and runs no VM.
package devdirector
