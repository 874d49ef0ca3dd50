// Package manifests reads, checks, compares and rewrites BOSH deployment manifests as YAML trees, so that no
// key is lost because nobody here knew it.
//
// It works on texts alone: it knows neither the adapter that wrote a manifest nor the Director that will deploy
// it. What it says in an error or a difference may go to a log: values that could be secret never appear there.
package manifests
