package config

import _ "embed"

//go:embed example.yml
var example string

// Example is a whole broker.yml with every key that the broker knows, explained. It passes Parse without an error or
// warning.
func Example() []byte { return []byte(example) }
