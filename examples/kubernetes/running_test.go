package kubernetes_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestTheProgramRunsAsImageAndManifestSay(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	lookAtSources(t)
	odb := filepath.Join(t.TempDir(), "odb")
	if out, err := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", odb, "../../cmd/odb").CombinedOutput(); err != nil {
		t.Fatalf("building odb: %v\n%s", err, out)
	}

	t.Run("it knows the image's arguments", func(t *testing.T) {
		arguments := instruction(t, lastStage(t), "CMD")
		if out, err := exec.CommandContext(ctx, odb, append(arguments, "--help")...).CombinedOutput(); err != nil {
			t.Errorf("%q: %v\n%s", arguments, err, out)
		}
	})
	t.Run("it answers the manifest's probes, and ends in time", func(t *testing.T) {
		objects := manifest(t)
		pod := objects["Deployment"].Spec.Template.Spec
		broker := pod.Containers[0]
		_, text := brokerConfig(t, objects)
		folder, url := mounted(t, text)
		arguments := make([]string, 0, len(broker.Args))
		for _, argument := range broker.Args {
			arguments = append(arguments, strings.Replace(argument, "/etc/odb", folder, 1))
		}

		command := exec.CommandContext(ctx, odb, arguments...)
		command.Env = []string{"TMPDIR=" + t.TempDir()}
		command.Stdout, command.Stderr = io.Discard, t.Output()
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		live, ready := broker.LivenessProbe.HTTPGet, broker.ReadinessProbe.HTTPGet
		if got := eventualStatus(ctx, t, strings.ToLower(live.Scheme)+url+live.Path); got != http.StatusOK {
			t.Errorf("%s answers %d", live.Path, got)
		}
		// There is no Director here. Any other path would be answered 401.
		if got := eventualStatus(ctx, t, strings.ToLower(ready.Scheme)+url+ready.Path); got != http.StatusServiceUnavailable {
			t.Errorf("%s answers %d", ready.Path, got)
		}
		if err := command.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := command.Wait(); err != nil {
			t.Errorf("told to stop: %v", err)
		}
	})
}

// lookAtSources looks at what the program is built from: `go test` repeats an earlier result unless a file has changed that the
// test itself looked at, and what a child process reads doesn't count.
func lookAtSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// mounted makes the files that the broker's container has, with a configuration that fits this machine, and tells where they
// are and the broker's host and port.
func mounted(t *testing.T, text string) (folder, url string) {
	t.Helper()
	folder = t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	text = strings.NewReplacer("/etc/odb", folder, "/adapter", folder, "10.0.0.6:25555", "127.0.0.1:1").Replace(text)
	text = regexp.MustCompile(`port: \d+`).ReplaceAllString(text, "port: "+port)

	server := httptest.NewTLSServer(nil)
	pair := server.TLS.Certificates[0]
	server.Close()
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"config/broker.yml": []byte(text),
		"tls/tls.crt":       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}),
		"tls/tls.key":       pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		"service-adapter":   []byte("never run here"),
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o500); err != nil {
			t.Fatal(err)
		}
	}
	return folder, "://" + address
}

// eventualStatus asks as a probe does, whose certificates nobody checks, until there is an answer.
func eventualStatus(ctx context.Context, t *testing.T, url string) int {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
	}}
	for ; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(request)
		if err != nil {
			continue
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	t.Fatalf("%s doesn't answer: %v", url, ctx.Err())
	return 0
}
