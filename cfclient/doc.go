// Package cfclient speaks to Cloud Foundry's API, version 3: it counts and lists service instances, registers the broker,
// gives access to its plans, upgrades and deletes. It knows no room beside it.
package cfclient

import _ "github.com/cloudfoundry/go-cfclient/v3/client" // the requests; this package gives their answers a meaning
