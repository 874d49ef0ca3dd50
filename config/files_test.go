package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/on-demand-broker/odb/config"
)

// pair makes a self-signed certificate and its key, both PEM.
func pair(t *testing.T, until time.Time) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker"}, NotBefore: until.Add(-48 * time.Hour), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

func write(t *testing.T, path string, mode os.FileMode, content []byte) string {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadLooksAtTheFilesThatTheConfigurationNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	adapter := write(t, at("adapter"), 0o500, []byte("#!/bin/sh\n"))
	certificate, key := pair(t, time.Now().Add(24*time.Hour))
	expired, expiredKey := pair(t, time.Now().Add(-24*time.Hour))
	_, otherKey := pair(t, time.Now().Add(24*time.Hour))
	certFile, keyFile := write(t, at("cert"), 0o600, certificate), write(t, at("key"), 0o600, key)
	plain, err := os.ReadFile("testdata/good/plain.yml")
	if err != nil {
		t.Fatal(err)
	}

	for name, c := range map[string]struct {
		adapter, cert, key string
		want               []string // parts of the problems; none means that the file is accepted
	}{
		"all there":              {adapter, certFile, keyFile, nil},
		"no TLS":                 {adapter, "", "", nil},
		"a chain":                {adapter, write(t, at("chain"), 0o600, append(certificate, expired...)), keyFile, nil},
		"no adapter":             {at("nowhere"), "", "", []string{":24: service_adapter.path: can't be used", "no such file"}},
		"a directory":            {dir, "", "", []string{":24: service_adapter.path: is a directory"}},
		"adapter not executable": {write(t, at("text"), 0o644, nil), "", "", []string{":24: service_adapter.path: may not be read and executed"}},
		"adapter not readable":   {write(t, at("blind"), 0o100, nil), "", "", []string{":24: service_adapter.path: may not be read and executed"}},
		"no certificate":         {adapter, at("nowhere"), keyFile, []string{":3: broker.tls.cert_file: can't be read"}},
		"certificate not PEM":    {adapter, write(t, at("rubbish"), 0o600, []byte("rubbish")), keyFile, []string{":3: broker.tls.cert_file: holds no PEM block"}},
		"certificate not X.509":  {adapter, keyFile, keyFile, []string{":3: broker.tls.cert_file: can't be parsed"}},
		"certificate expired":    {adapter, write(t, at("old"), 0o600, expired), write(t, at("oldkey"), 0o600, expiredKey), []string{":3: broker.tls.cert_file: holds a certificate that expired on"}},
		"no key":                 {adapter, certFile, at("nowhere"), []string{":4: broker.tls.key_file: can't be read"}},
		"another's key":          {adapter, certFile, write(t, at("other"), 0o600, otherKey), []string{":4: broker.tls.key_file: doesn't go with the certificate"}},
		"key not PEM":            {adapter, certFile, write(t, at("rubbishkey"), 0o600, []byte("rubbish")), []string{":4: broker.tls.key_file: doesn't go with the certificate"}},
		"no adapter's path":      {"''", at("nowhere"), keyFile, []string{":3: broker.tls.cert_file: can't be read", "\n", ":24: service_adapter.path: is missing"}},
		"everything at once":     {at("nowhere"), at("nowhere"), keyFile, []string{"broker.tls.cert_file", "\n", "service_adapter.path"}},
	} {
		text := strings.Replace(string(plain), "/opt/adapter", c.adapter, 1)
		text = strings.Replace(text, "broker:\n", "broker:\n  tls:\n    cert_file: '"+c.cert+"'\n    key_file: '"+c.key+"'\n", 1)
		path := write(t, at("broker.yml"), 0o600, []byte(text))
		loaded, _, err := config.Load(path)
		var refused *config.Problems
		if errors.As(err, &refused) == (len(c.want) == 0) || (loaded == nil) == (err == nil) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err == nil {
			continue
		}
		rest := err.Error()
		for _, want := range c.want {
			_, after, found := strings.Cut(rest, want)
			if !found {
				t.Errorf("%s: no %q in %q", name, want, err)
			}
			rest = after
		}
		if len(refused.All) > 2 || refused.All[0].File != path || refused.All[0].Severity != config.Error {
			t.Errorf("%s: %+v", name, refused.All)
		}
		if _, _, err := config.Parse(path, []byte(text)); err != nil && c.adapter != "''" {
			t.Errorf("%s: Parse looks at files: %v", name, err)
		}
	}
}

func TestLoadSaysThatThereIsNoFile(t *testing.T) {
	t.Parallel()
	_, _, err := config.Load(filepath.Join(t.TempDir(), "nowhere.yml"))
	var refused *config.Problems
	if !errors.Is(err, fs.ErrNotExist) || errors.As(err, &refused) {
		t.Error(err)
	}
}
