package config

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"time"
)

// checkFiles looks at the files that the configuration names: the service adapter, and the certificate and key to serve
// HTTPS with. All its problems are errors. It is apart from Parse, so that a text can be checked where these don't exist.
func (c *Config) checkFiles(doc *document) {
	if c.ServiceAdapter.Path != "" {
		checkExecutable(section{doc: doc}.key("service_adapter", "path"), c.ServiceAdapter.Path)
	}
	if c.Broker.TLS.Enabled() {
		c.Broker.TLS.checkFiles(section{doc: doc}.key("broker", "tls"))
	}
}

func checkExecutable(at section, path string) {
	const readAndRun = 0o500
	info, err := os.Stat(path)
	switch {
	case err != nil:
		at.refuse("can't be used: "+err.Error(), "give the path of the service adapter's executable")
	case info.IsDir():
		at.refuse("is a directory", "give the path of the service adapter's executable")
	case info.Mode()&readAndRun != readAndRun:
		at.refuse("may not be read and executed by its owner", "chmod u+rx it")
	}
}

func (t TLS) checkFiles(at section) {
	cert, err := os.ReadFile(t.CertFile)
	if err != nil {
		at.key("cert_file").refuse("can't be read: "+err.Error(), "give the path of a certificate in PEM form")
		return
	}
	// The first block is the broker's own certificate, whatever chain follows.
	block, _ := pem.Decode(cert)
	if block == nil {
		at.key("cert_file").refuse("holds no PEM block", "give the path of a certificate in PEM form")
		return
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		at.key("cert_file").refuse("can't be parsed: "+err.Error(), "give the path of an X.509 certificate, which must be the first block of the file")
		return
	}
	if time.Now().After(leaf.NotAfter) {
		at.key("cert_file").refuse("holds a certificate that expired on "+leaf.NotAfter.UTC().Format(time.DateTime)+" UTC", "renew it")
	}
	key, err := os.ReadFile(t.KeyFile)
	if err != nil {
		at.key("key_file").refuse("can't be read: "+err.Error(), "give the path of the certificate's private key in PEM form")
		return
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		at.key("key_file").refuse("doesn't go with the certificate: "+err.Error(), "give the path of the certificate's private key in PEM form")
	}
}
