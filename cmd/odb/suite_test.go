package main

import (
	"context"
	"os"
	"os/signal"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
)

// beODB makes the test binary be the program itself: stories that need a process of their own to signal or to kill
// start it again with this in its environment.
const beODB = "ODB_TEST_BE_ODB"

func TestMain(m *testing.M) {
	if os.Getenv(beODB) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), stopSignals()...)
		code := run(ctx, os.Args, os.Stdout, os.Stderr)
		stop()
		os.Exit(code)
	}
	os.Exit(m.Run())
}

func TestODB(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "odb, from outside")
}

// doubleProgram is the service adapter that all stories use, compiled once.
var doubleProgram adaptertest.Program

var _ = BeforeSuite(func(ctx SpecContext) {
	dir, err := os.MkdirTemp("", "odb-adapter-*")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, dir)
	doubleProgram, err = adaptertest.Build(ctx, dir)
	Expect(err).NotTo(HaveOccurred())
})
