// Package broker holds the decisions: one file a verb, one deploy path, and the errors with their meaning.
// It knows the Director and the adapter only as the interfaces below; brokerapi's types stop at the verbs'
// signatures, and HTTP is none of its business.
//
// Each verb follows the same order: what the request alone can tell (admission), the instance's lock, what
// the Director says, the adapter, the submission. Nothing is submitted before everything that can refuse
// has been asked, and nothing waits for a task once it is.
package broker
