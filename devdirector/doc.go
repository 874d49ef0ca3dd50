// Package devdirector is a development BOSH Director: its HTTP API in one process, for odb dev and for the
// tests.
package devdirector
