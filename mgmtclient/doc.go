// Package mgmtclient asks a broker's management API (/mgmt), and the two things of OSB that the companion commands need: the
// catalog, and how an operation stands. It speaks to this broker and to its predecessor, as far as that one goes. It knows
// nothing of platforms, Directors or fleets; it returns facts: what was answered, or why there is no answer ([ErrNotFound],
// [ErrGone], [ErrBusy], [ErrUnauthorized], [Unavailable], [Rejected]).
package mgmtclient
