package boshclient_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestBoshclient(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "boshclient")
}
