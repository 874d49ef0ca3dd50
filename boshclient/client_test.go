package boshclient_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
)

// otherCertificate is one that no CA of the tests has signed.
func otherCertificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	Expect(err).NotTo(HaveOccurred())
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

var _ = Describe("Options", func() {
	DescribeTable("that can't work are refused without repeating a secret", func(change func(*boshclient.Options), want string) {
		options := boshclient.Options{URL: "https://127.0.0.1:25555", Username: "admin", Password: "pa55word"}
		change(&options)
		_, err := boshclient.New(options)
		Expect(err).To(MatchError(ContainSubstring(want)))
		Expect(err).NotTo(MatchError(ContainSubstring("pa55word")))
	},
		Entry("no URL", func(o *boshclient.Options) { o.URL = "" }, "BOSH URL"),
		Entry("a URL that is none", func(o *boshclient.Options) { o.URL = "https://[" }, "BOSH URL"),
		Entry("a port that is none", func(o *boshclient.Options) { o.URL = "https://bosh:http" }, "BOSH URL"),
		Entry("a URL with credentials", func(o *boshclient.Options) { o.URL = "https://admin:pa55word@bosh" }, "must not carry credentials"),
		Entry("a CA that is no PEM", func(o *boshclient.Options) { o.CACert = "pa55word" }, "CA certificate"),
		Entry("no credentials", func(o *boshclient.Options) { o.Username = "" }, "credentials"),
		Entry("two kinds of credentials", func(o *boshclient.Options) { o.ClientID = "broker" }, "credentials"),
	)

	DescribeTable("take the URL as the bosh CLI does", func(url string) {
		_, err := boshclient.New(boshclient.Options{URL: url, Username: "admin"})
		Expect(err).NotTo(HaveOccurred())
	},
		Entry("with a port", "https://bosh.example.com:443"),
		Entry("without", "https://bosh.example.com"),
		Entry("a bare host", "10.0.0.6"),
		Entry("IPv6", "https://[fd00::6]:25555"),
	)
})
