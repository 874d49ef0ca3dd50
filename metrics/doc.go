// Package metrics is what the broker tells Prometheus of itself: the registry, all names, and what they are counted by.
// It knows no other room: each of them has a hook that it calls with what happened, and cmd/odb ties the two together.
//
// Labels have few values. There is none that a user chooses: no ids of instances, bindings, requests or tasks. The names
// are a contract with dashboards and alerts; docs/OPERATING.md lists them all, and docs/monitoring uses them.
package metrics
