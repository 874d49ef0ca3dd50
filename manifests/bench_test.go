package manifests_test

import (
	"os"
	"strings"
	"testing"

	"github.com/on-demand-broker/odb/manifests"
)

const redisDeployment = "service-instance_7c1d3f8e-51a4-4ad5-9b3e-0f9b7f6d2a10"

func redisManifest(tb testing.TB) string {
	tb.Helper()
	content, err := os.ReadFile("testdata/redis.yml")
	if err != nil {
		tb.Fatal(err)
	}
	return string(content)
}

func BenchmarkParseAndCheck(b *testing.B) {
	text := redisManifest(b)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		m, err := manifests.Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		if err := m.Check(redisDeployment); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPendingChange(b *testing.B) {
	deployed := redisManifest(b)
	regenerated := strings.Replace(deployed, "max_in_flight: 4", "max_in_flight: 2", 1)
	for name, text := range map[string]string{"identical text": deployed, "same meaning": regenerated} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				diff, err := manifests.PendingChange(text, deployed)
				if err != nil || diff != "" {
					b.Fatal(diff, err)
				}
			}
		})
	}
}

func BenchmarkReplaceSecrets(b *testing.B) {
	text := redisManifest(b) + "# ((odb_secret:redis_password))\n"
	paths := map[string]string{"redis_password": "/odb/4a7f/" + redisDeployment + "/redis_password"}
	for b.Loop() {
		for _, name := range manifests.SecretReferences(text) {
			if paths[name] == "" {
				b.Fatal(name)
			}
		}
		if manifests.ReplaceSecrets(text, paths) == text {
			b.Fatal("nothing replaced")
		}
	}
}
