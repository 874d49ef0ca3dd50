package main

import (
	"context"
	"os"
	"os/signal"
	"testing"
	"time"

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

// patience is how long a story waits for what must come, and for an answer: one that holds never waits for it, and a busy machine
// may be many times as slow as an idle one. What is built takes longer.
const (
	patience      = 2 * time.Minute
	buildPatience = 8 * time.Minute
)

func TestODB(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(patience)
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
