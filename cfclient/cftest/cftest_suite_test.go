package cftest_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestCFTest(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "cftest")
}
