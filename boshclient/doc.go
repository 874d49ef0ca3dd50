// Package boshclient speaks the BOSH Director's HTTP API. It submits work (one request, the task id from the redirect)
// and reads facts; it never follows a task. The one exception is Instances, which waits for the Director's "vms" task
// when, and only when, the Director's database holds no address for an instance (dynamic networks).
//
// Authentication, trust and connection defaults come from bosh-cli's director and uaa packages and bosh-utils' HTTP
// client: the URL forms, the CA pool, basic auth, the client-credentials grant, BOSH_ALL_PROXY and HTTPS_PROXY. The
// request layer is our own, because bosh-cli's knows no context, no deadline and only one of the two redirect statuses
// that Directors answer with. No type of theirs leaves this package.
//
// What a caller can rely on:
//   - Every request ends: with the ctx, or after Options.Timeout, whichever comes first. All tries of one request share
//     that time.
//   - Reads are tried up to three times, with jittered pauses, after network errors and 502, 503, 504. Submissions are
//     tried again only if no connection could be had, so that no byte of them was sent. net/http itself also repeats a
//     request on a fresh connection when a kept-alive one turns out to be closed before the first byte was written.
//   - Errors are facts: ErrNotFound, ErrUnauthorized, ErrConfigChanged for errors.Is; *Unavailable and *Rejected for
//     errors.As. Unavailable.Sent tells "surely not submitted" from "outcome unknown". No error text holds a credential,
//     a token or a manifest.
//
// It knows nothing of service instances, adapters or OSB.
package boshclient
