// Package adapterclient runs a service author's executable by the service-adapter protocol and turns its
// exit codes into facts. It knows nothing of BOSH or OSB.
package adapterclient
