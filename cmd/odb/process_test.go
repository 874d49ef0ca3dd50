package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/devdirector"
)

// program is odb as a process of its own.
type program struct {
	cmd            *exec.Cmd
	stdout, stderr *logBuffer
	ended          chan error
}

func startODB(args ...string) *program {
	GinkgoHelper()
	return startAs("odb", args...)
}

// startAs starts it through a link of that name.
func startAs(name string, args ...string) *program {
	GinkgoHelper()
	executable, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	link := filepath.Join(GinkgoT().TempDir(), name)
	Expect(os.Symlink(executable, link)).To(Succeed())
	p := &program{cmd: exec.Command(link, args...), stdout: &logBuffer{}, stderr: &logBuffer{}, ended: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), beODB+"=1")
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	Expect(p.cmd.Start()).To(Succeed())
	go func() { p.ended <- p.cmd.Wait(); close(p.ended) }()
	DeferCleanup(p.kill)
	return p
}

// end waits for the end and gives the exit code.
func (p *program) end() int {
	GinkgoHelper()
	Eventually(p.ended).Should(Or(Receive(), BeClosed()))
	return p.cmd.ProcessState.ExitCode()
}

func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// serveProcess runs `odb serve` of the world's configuration and waits until it answers.
func (w *world) serveProcess(flag string, changes ...setting) *program {
	GinkgoHelper()
	path := w.writeConfig(changes...)
	text, err := os.ReadFile(path)
	Expect(err).NotTo(HaveOccurred())
	_, rest, _ := strings.Cut(string(text), "port: ")
	port, _, _ := strings.Cut(rest, "\n")
	p := startODB("serve", flag, path)
	w.platform = newPlatform("http://127.0.0.1:" + port)
	w.platform.client.Transport = &http.Transport{DisableKeepAlives: true} // the process behind it comes and goes
	w.awaitHealthy(p)
	return p
}

func (w *world) awaitHealthy(p *program) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		select {
		case <-p.ended:
			StopTrying("odb ended: " + p.stderr.String() + p.stdout.String()).Now()
		default:
		}
		a, err := w.platform.try("GET", "/healthz", nil)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(a.status).To(Equal(http.StatusOK))
	}).WithPolling(10 * time.Millisecond).Should(Succeed())
}

var _ = Describe("the process", func() {
	It("loses nothing when it is killed between any two requests", func() {
		clock := devdirector.NewManualClock(time.Now())
		slow := []setting{tasksTake(time.Minute), {director: func(o *devdirector.Options) { o.Clock = clock }}}
		w := newWorldWithoutBroker(slow...)
		var running *program
		restart := func() {
			GinkgoHelper()
			if running != nil {
				running.kill()
			}
			running = w.serveProcess("--config")
		}
		finish := func(a answer) {
			GinkgoHelper()
			Expect(a.status).To(Equal(http.StatusAccepted), a.text)
			restart()
			Expect(w.platform.lastOperation("i-1", a.operation()).body).To(HaveKeyWithValue("state", "in progress"))
			restart()
			clock.Advance(2 * time.Minute)
			Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		}
		restart()
		finish(w.platform.provision("i-1", nil))
		Expect(w.platform.bind("i-1", "b", nil).status).To(Equal(http.StatusCreated))
		restart()
		Expect(w.platform.unbind("i-1", "b").status).To(Equal(http.StatusOK))
		finish(w.platform.update("i-1", object{"parameters": object{"a": 1}}))
		finish(w.platform.deprovision("i-1"))
		restart()
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusGone))
	})

	It("lets requests finish when it is told to stop, and takes no new ones", func() {
		w := newWorldWithoutBroker()
		p := w.serveProcess("-configFilePath")
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Hold: "me"})).To(Succeed())
		answered := make(chan answer, 1)
		go func() {
			defer GinkgoRecover()
			answered <- w.platform.provision("i-1", nil)
		}()
		Eventually(w.calls).Should(ContainElement("generate-manifest"))
		Expect(p.cmd.Process.Signal(syscall.SIGTERM)).To(Succeed())
		Eventually(p.stdout.String).Should(ContainSubstring("server.stopping"))
		Expect(w.adapter.LetGo("me")).To(Succeed())
		var a answer
		Eventually(answered).Should(Receive(&a))
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Eventually(p.ended).Should(Receive(BeNil()))
		_, err := w.platform.try("GET", "/healthz", nil)
		Expect(err).To(HaveOccurred())
	})

	It("cuts what takes longer than it was given, and its adapter with it", func() {
		w := newWorldWithoutBroker()
		p := w.serveProcess("--config", with("shutdown_timeout_in_seconds: 60", "shutdown_timeout_in_seconds: 1"))
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Hold: "for ever"})).To(Succeed())
		go func() {
			_, _ = w.platform.try("PUT", instancePath("i-1")+"?accepts_incomplete=true", provisionBody(smallPlan))
		}()
		Eventually(w.calls).Should(ContainElement("generate-manifest"))
		Expect(p.cmd.Process.Signal(os.Interrupt)).To(Succeed())
		Eventually(p.ended).Should(Receive(BeNil()))
		Expect(p.stdout.String()).To(ContainSubstring("server.requests-cut"))
		calls, err := w.adapter.Calls()
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() error { return syscall.Kill(calls[0].PID, 0) }).Should(MatchError(syscall.ESRCH))
	})

	It("writes no secret to its log", func() {
		w := newWorldWithoutBroker()
		p := w.serveProcess("--config")
		Expect(w.platform.provision("i-1", object{"parameters": object{"pin": "parameter-secret"}}).status).To(Equal(http.StatusAccepted))
		Expect(w.adapter.Steer("create-binding", adaptertest.Steering{Stdout: `{"credentials":{"password":"binding-secret"}}`})).To(Succeed())
		Expect(w.platform.bind("i-1", "b", object{"parameters": object{"pin": "parameter-secret"}}).text).To(ContainSubstring("binding-secret"))
		Expect(w.adapter.Steer("create-binding", adaptertest.Steering{Stdout: `{"credentials":{"password":"binding-secret"`})).To(Succeed())
		Expect(w.platform.bind("i-1", "b-2", nil).status).To(Equal(http.StatusInternalServerError))
		Expect(w.platform.provision("i-1", object{"parameters": object{"pin": "parameter-secret-2"}}).status).To(Equal(http.StatusConflict))
		log := p.stdout.String() + p.stderr.String()
		Expect(log).To(ContainSubstring(`"instance_id":"i-1"`))
		for _, secret := range []string{"parameter-secret", "binding-secret", platformPassword, "admin:admin", "Basic "} {
			Expect(log).NotTo(ContainSubstring(secret))
		}
	})
})
