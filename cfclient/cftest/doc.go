// Package cftest provides a Cloud Controller for tests and benchmarks: what Cloud Foundry's API, version 3, says of
// service brokers and service instances, with the UAA that issues its tokens, over HTTP. It answers as recorded from a
// real Cloud Controller (testdata/recorded): the contract test replays those exchanges.
//
// It drives brokers as Cloud Controller does. A broker that is registered with a URL is asked for its catalog, and
// is sent what happens to its service instances and bindings, over OSB: the identity and context that Cloud
// Controller sends, last_operation until the end, the DELETE that cleans up after a create that went wrong, the DELETE
// of an instance that is still being created. A broker added without a URL is simulated: its operations take
// Options.OperationDuration and end as Outcomes say.
//
// What can be steered: what is there from the start (AddOrganization, AddInstance ...), when jobs are taken up
// (HoldJobs), what becomes of simulated operations (AddOutcome), what goes wrong on the wire (AddFault), tokens that
// expire (ExpireTokens).
//
// What isn't modelled: roles (a user who is neither admin nor auditor sees public plans and changes nothing), labels
// and annotations, quotas, apps beyond their names, user-provided service instances, space-scoped brokers. A filter
// that isn't modelled is refused with 501 rather than ignored.
package cftest
