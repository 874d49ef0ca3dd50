// Package adapterclient runs a service author's executable by the service-adapter protocol and turns what it
// answers, its exit codes included, into results and facts. It knows nothing of BOSH, of OSB or of broker.yml.
//
// The protocol is a contract with adapters that already exist: what they receive, down to the nulls and the empty
// sections, is part of it and doesn't change.
package adapterclient
