// Package uaaclients keeps one UAA client for each service instance, made after the operator's definition
// (cf.uaa.client_definition), so that a service can send its users through Cloud Foundry's login. The client's id is the
// instance's id.
//
// The requests are go-uaa's. What that library lacks is added underneath it, as the transport of each single request
// (see exchange): the context and a deadline, one token for all requests and its renewal, the status and the cause of a
// failure, a bound for the answer's size, and no redirects, which could carry a secret elsewhere.
//
// What a caller can rely on:
//   - Every request ends: with the ctx, or after Options.Timeout, whichever comes first. Create is one request, or three
//     if a client is in the way; Find is one, Update one or two, Delete one, or two if the id is no GUID. A token is one
//     more, now and then.
//   - Whatever failed may be called again.
//   - Errors are facts: ErrUnauthorized and ErrSpaceUnknown for errors.Is; *Unavailable and *Rejected for errors.As. No
//     error text holds a secret or a token.
//
// It knows nothing of brokers, plans and adapters, except in which form an adapter is told of a client.
package uaaclients
