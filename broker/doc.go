// Package broker holds the decisions: one file a verb, one deploy path, and the errors with their meaning.
// It knows the Director and the adapter only as interfaces.
package broker
