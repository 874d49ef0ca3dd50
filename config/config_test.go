package config_test

import (
	"os"
	"testing"

	"github.com/on-demand-broker/odb/config"
)

func TestParseWorkedExample(t *testing.T) {
	text, err := os.ReadFile("testdata/good/worked_example.yml")
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Parse("broker.yml", text)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.ServiceCatalog.Plans) != 2 {
		t.Fatalf("%d plans", len(c.ServiceCatalog.Plans))
	}
}
