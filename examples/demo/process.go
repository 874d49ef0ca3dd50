package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// process is `odb dev`: the broker and the development Director.
type process struct {
	cmd                    *exec.Cmd
	ended                  chan error
	brokerURL, directorURL string
	log                    string
}

func start(ctx context.Context, odb, config string) (*process, error) {
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	log, err := os.CreateTemp("", "odb-demo-*.log")
	if err != nil {
		return nil, err
	}
	log.Close()
	p := &process{
		brokerURL:   "http://127.0.0.1:" + strconv.Itoa(ports[0]),
		directorURL: "https://127.0.0.1:" + strconv.Itoa(ports[1]),
		log:         log.Name(),
		ended:       make(chan error, 1),
	}
	p.cmd = exec.Command(odb, "dev", "--config", config, "--broker-port", strconv.Itoa(ports[0]),
		"--director-port", strconv.Itoa(ports[1]), "--task-duration", "3s", "--log", p.log)
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.ended <- p.cmd.Wait() }()
	if err := p.waitUntilReady(ctx); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

func (p *process) waitUntilReady(ctx context.Context) error {
	for {
		if response, err := client.Get(p.brokerURL + "/readyz"); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-p.ended:
			p.ended <- err
			return fmt.Errorf("odb dev ended before it was ready, see %s", p.log)
		case <-ctx.Done():
			return fmt.Errorf("odb dev did not get ready, see %s: %w", p.log, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop ends the process as Ctrl-C would, and insists that it ends well.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGINT)
	select {
	case err := <-p.ended:
		if err != nil {
			return fmt.Errorf("odb dev: %w (its log: %s)", err, p.log)
		}
		return os.Remove(p.log)
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		return fmt.Errorf("odb dev did not stop within 10 s (its log: %s)", p.log)
	}
}

// deployments lists what the Director has.
func (p *process) deployments(ctx context.Context) ([]string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.directorURL+"/deployments", nil)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth("admin", "admin")
	// The Director made its certificate when it started; on loopback there is nobody else to be.
	insecure := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	response, err := insecure.Do(req)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var list []struct {
		Name string `json:"name"`
	}
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		return nil, err
	}
	names := make([]string, 0, len(list))
	for _, d := range list {
		names = append(names, d.Name)
	}
	return names, nil
}

// freePorts finds loopback ports that nobody listens on.
func freePorts(n int) ([]int, error) {
	ports := make([]int, 0, n)
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
