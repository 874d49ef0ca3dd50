// Package cli holds the bosh CLI as a tool, in a module of its own: it brings a hundred others, none of which the program
// needs. Its version is the newest whose modules can all be had. The test lets the CLI read what this repository makes.
package cli
