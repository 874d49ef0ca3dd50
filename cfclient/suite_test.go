package cfclient_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestCfclient(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "cfclient")
}
