// Package soak holds two brokers side by side under load: 32 clients with competing wishes, lifecycle errands, a quota, and
// processes killed at random. All of it is in its test: 20 seconds in `make test`, five minutes in `make soak`. What it
// looks at is in judge_test.go.
package soak
