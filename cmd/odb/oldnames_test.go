package main

import (
	"slices"
	"testing"
)

func TestFlagsWithOneDash(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, want []string }{
		{[]string{"upgrade-all-service-instances", "-configPath", "c.yml"}, []string{"upgrade-all-service-instances", "--configPath", "c.yml"}},
		{[]string{"upgrade-all-service-instances", "-configPath=c.yml"}, []string{"upgrade-all-service-instances", "--configPath=c.yml"}},
		{[]string{"upgrade-all-service-instances", "--configPath", "-configPath"}, []string{"upgrade-all-service-instances", "--configPath", "-configPath"}},
		// A password may look like a flag.
		{[]string{"collect-service-metrics", "-brokerPassword", "-brokerUrl", "-brokerUrl", "u"}, []string{"collect-service-metrics", "--brokerPassword", "-brokerUrl", "--brokerUrl", "u"}},
		{[]string{"collect-service-metrics", "-brokerCACert", "-----BEGIN CERTIFICATE-----\n", "-brokerUrl=u"}, []string{"collect-service-metrics", "--brokerCACert", "-----BEGIN CERTIFICATE-----\n", "--brokerUrl=u"}},
		// What is true or false takes no value.
		{[]string{"collect-service-metrics", "-disableTLSCertificateVerification", "-brokerUrl", "u"}, []string{"collect-service-metrics", "--disableTLSCertificateVerification", "--brokerUrl", "u"}},
		{[]string{"collect-service-metrics", "-disableTLSCertificateVerification=false"}, []string{"collect-service-metrics", "--disableTLSCertificateVerification=false"}},
		{[]string{"serve", "-configFilePath", "b.yml"}, []string{"serve", "--configFilePath", "b.yml"}},
		{[]string{"instances", "upgrade", "-max-in-flight", "3"}, []string{"instances", "upgrade", "--max-in-flight", "3"}},
		{[]string{"serve", "-nonsense", "-h", "-", ""}, []string{"serve", "-nonsense", "-h", "-", ""}},
		{[]string{"serve", "--", "-configFilePath"}, []string{"serve", "--", "-configFilePath"}},
		{[]string{"nonsense", "-configFilePath"}, []string{"nonsense", "-configFilePath"}},
		{nil, nil},
	} {
		if got := twoDashes(rootCommand(), c.args); !slices.Equal(got, c.want) {
			t.Errorf("%q becomes %q, not %q", c.args, got, c.want)
		}
	}
}
