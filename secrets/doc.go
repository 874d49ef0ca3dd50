// Package secrets speaks to CredHub, both of them: the Director's, which holds the secrets of manifests, and the
// platform's ("runtime"), which holds binding credentials. It is a leaf: it knows neither manifests as trees nor the
// Director, the adapter or OSB.
//
// # The client
//
// Requests and answers are worded by credhub-cli's packages. The library has no context, trusts the system's certificates
// beside the given ones, refreshes its token for one spelling of a refusal only and loses the HTTP status of an error, so
// each call here is its own authentication strategy (exchange) over one connection pool and one token session:
//   - Every call ends: with the ctx, or after Options.Timeout, its tries and the token included.
//   - A call is tried once more after a network error or a 502, 503 or 504, and with a fresh token after a 401.
//   - Errors are facts: ErrNotFound, ErrUnauthorized, ErrNoValue for errors.Is; *Unavailable and *Rejected for errors.As.
//     No error text holds a credential, a token or the client's secret.
//
// # Secrets of manifests
//
// An adapter returns secrets by name, and a manifest with ((odb_secret:NAME)) in it. What is stored lies at
//
//	/odb/SERVICE ID/DEPLOYMENT/NAME
//
// and the manifest that is deployed says ((/odb/SERVICE ID/DEPLOYMENT/NAME)). CredHub must be written before the deploy,
// because the Director reads it then; but the deploy may fail, and the VMs go on with what they had. What tells afterwards
// which value runs?
//
// Not the Director's list of variables alone. It names a version per variable, but of which deploy is not certain: a first
// deploy's variables are listed while it still runs, so the list can't be that of the last successful deploy.
// What is certain is the manifest: after a failed deploy the Director still returns the one before.
//
// So a path, once written, never gets another value. If NAME holds another value already, the new one goes to
// NAME/v-RANDOM, and the new manifest refers to that. The deployed manifest then leads to what runs, before, during and
// after a deploy that fails, whether or not the Director lists the path; the same value gets the same path again, so that
// a repeated deploy changes nothing. Adapters never see a difference if they follow the advice to give each value a new
// name; to the others it does the same.
//
// Variables that the Director lists (those it generated, and absolute references as far as it lists them) are read by the
// version that it names, everything else absolute by its latest version.
//
// What a caller must do:
//   - one deploy of an instance at a time decides about its secrets;
//   - Store before the deploy, and deploy what refers to the paths it returned;
//   - Resolve the manifest that the Director returns, never one that was only submitted;
//   - treat Resolved.Unavailable as a failure before it asks an adapter for a manifest: an adapter takes a missing secret
//     for one to be made;
//   - DeleteInstance when the deployment is gone.
//
// Older values stay until then: an instance stopped or ignored by an operator may still run with them.
//
// # Binding credentials
//
// They lie at /c/SERVICE ID/INSTANCE ID/BINDING ID/credentials, and the platform gets {"credhub-ref": PATH}. The platform
// replaces a reference only by a JSON object. What the broker must know of a binding again lies beside them, at
// /c/SERVICE ID/INSTANCE ID/BINDING ID/note.
package secrets
