// Package config is what the operator wrote: the types of broker.yml, their strict load, and every problem
// with its line.
package config
