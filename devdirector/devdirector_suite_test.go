package devdirector_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestDevdirector(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "devdirector")
}
