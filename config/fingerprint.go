package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"gopkg.in/yaml.v3"
)

// Fingerprint tells configurations apart, whatever the order, comments and defaults in their files. What has the type of a
// secret is left out, so that nobody can guess at one by it: two configurations that differ in passwords alone have the same.
func (c *Config) Fingerprint() (string, error) {
	text, err := yaml.Marshal(*c)
	if err != nil {
		return "", fmt.Errorf("the configuration's fingerprint: %w", err)
	}
	digest := sha256.Sum256(text)
	return hex.EncodeToString(digest[:8]), nil
}
