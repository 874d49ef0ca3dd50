// Package boshrelease_test checks the BOSH release in this folder: that its jobs are those that owners' manifests and tiles
// count on, that what their templates render is what the program reads, and that their scripts do what BOSH expects.
package boshrelease_test
