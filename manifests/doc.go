// Package manifests reads, checks, compares and rewrites BOSH deployment manifests as YAML trees, so that no
// key is lost because nobody here knew it.
package manifests
