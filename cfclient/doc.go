// Package cfclient speaks to Cloud Foundry's API, version 3: it counts and lists service instances, registers the broker,
// gives access to its plans, upgrades and deletes. It knows no room beside it but the one that makes transports.
//
// Requests and answers are those of github.com/cloudfoundry/go-cfclient/v3. What that library leaves to its user lies below
// it, in an http.RoundTripper (exchange.go): tokens, deadlines, retries, errors as facts. Lists (list.go) are read here, one
// element at a time, since the library holds a page of 5 000 whole, twice, and for good.
package cfclient
