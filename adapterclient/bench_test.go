package adapterclient_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
)

// cpu is the user and system time of this process, or of its children that have ended.
func cpu(b *testing.B, who int) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(who, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// measure reports the CPU of a call apart for the broker's side (self) and the adapter's (adapter).
func measure(b *testing.B, call func() error) {
	b.Helper()
	b.ReportAllocs()
	self, children := cpu(b, syscall.RUSAGE_SELF), cpu(b, syscall.RUSAGE_CHILDREN)
	for b.Loop() {
		if err := call(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu(b, syscall.RUSAGE_SELF)-self).Microseconds())/float64(b.N), "self-cpu-us/op")
	b.ReportMetric(float64((cpu(b, syscall.RUSAGE_CHILDREN)-children).Microseconds())/float64(b.N), "adapter-cpu-us/op")
}

// BenchmarkSmallestProcess shows what a run costs at least.
func BenchmarkSmallestProcess(b *testing.B) {
	client, err := adapterclient.New(adapterclient.Options{Path: "/bin/true", UseStdin: true})
	if err != nil {
		b.Fatal(err)
	}
	measure(b, func() error { return client.DeleteBinding(b.Context(), adapterclient.BindingRequest{}) })
}

func BenchmarkGenerateManifest(b *testing.B) {
	program, err := adaptertest.Build(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	double, err := program.Install(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	if err := double.Record(false); err != nil {
		b.Fatal(err)
	}
	client, err := adapterclient.New(adapterclient.Options{Path: double.Path, UseStdin: true})
	if err != nil {
		b.Fatal(err)
	}
	request := adapterclient.GenerateManifest{ServiceDeployment: cacheDeployment(), Plan: cachePlan()}
	measure(b, func() error {
		_, err := client.GenerateManifest(b.Context(), request)
		return err
	})
}
