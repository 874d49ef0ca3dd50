package devdirector

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificates are a self-made CA and one server certificate for loopback.
type certificates struct {
	caPEM  string
	server tls.Certificate
}

const (
	caFile          = "ca.pem"
	certificateFile = "certificate.pem"
	keyFile         = "key.pem"
)

// loadCertificates returns the certificates kept in folder, or makes them (and keeps them, if folder isn't ""): clients
// that were told the CA go on trusting a Director that was started again.
func loadCertificates(folder string) (*certificates, error) {
	if folder == "" {
		return makeCertificates()
	}
	ca, err := os.ReadFile(filepath.Join(folder, caFile))
	if errors.Is(err, fs.ErrNotExist) {
		return keepCertificates(folder)
	}
	if err != nil {
		return nil, fmt.Errorf("kept CA: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, certificateFile), filepath.Join(folder, keyFile))
	if err != nil {
		return nil, fmt.Errorf("kept certificate: %w", err)
	}
	return &certificates{caPEM: string(ca), server: pair}, nil
}

func keepCertificates(folder string) (*certificates, error) {
	certs, err := makeCertificates()
	if err != nil {
		return nil, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(certs.server.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	// The CA is written last: it is what says that the set is whole.
	for _, file := range []struct {
		name string
		text []byte
	}{
		{keyFile, encodePEM("PRIVATE KEY", key)},
		{certificateFile, encodePEM("CERTIFICATE", certs.server.Certificate[0])},
		{caFile, []byte(certs.caPEM)},
	} {
		if err := replaceFile(filepath.Join(folder, file.name), file.text); err != nil {
			return nil, err
		}
	}
	return certs, nil
}

func makeCertificates() (*certificates, error) {
	ca := certificateTemplate("development Director CA", 1)
	ca.IsCA, ca.BasicConstraintsValid = true, true
	ca.KeyUsage = x509.KeyUsageCertSign
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("CA key: %w", err)
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return nil, fmt.Errorf("CA certificate: %w", err)
	}
	leaf := certificateTemplate("development Director", 2)
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	leaf.DNSNames = []string{"localhost"}
	leaf.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("server key: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	if err != nil {
		return nil, fmt.Errorf("server certificate: %w", err)
	}
	return &certificates{
		caPEM:  string(encodePEM("CERTIFICATE", caDER)),
		server: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
	}, nil
}

func certificateTemplate(name string, serial int64) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(10, 0, 0),
	}
}

func encodePEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func (c *certificates) serverConfig() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c.server}, MinVersion: tls.VersionTLS12}
}
