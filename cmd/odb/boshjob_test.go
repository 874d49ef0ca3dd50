package main

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/cfclient/cftest"
)

var _ = Describe("the BOSH release's jobs", func() {
	It("serve with the properties that an owner has had all along", func() {
		w := newWorldWithoutBroker()
		v := newVM("owner").of(w)
		c := startCloud()
		certificate, key := ownCertificate()
		for property, path := range map[string]string{"tls.certificate": certificate, "tls.private_key": key} {
			text, err := os.ReadFile(path)
			Expect(err).NotTo(HaveOccurred())
			v.set(property, string(text))
		}
		v.set("cf.url", c.URL())
		v.set("cf.root_ca_cert", c.CACert())
		v.set("cf.uaa.url", c.UAAURL())
		v.set("enable_plan_schemas", false) // the stories' adapter has none
		v.install("broker")

		checked := v.run("broker", "pre-start")
		Expect(checked.stderr).To(BeEmpty())
		Expect(checked.stdout).To(HaveSuffix("broker.yml: ok\n"))
		Expect(checked.code).To(BeZero())
		broker := v.startBroker()
		Eventually(broker.stdout.String).Should(ContainSubstring("server.listening"))
		started := v.run("broker", "post-start")
		Expect(started.stderr).To(BeEmpty())
		Expect(started.code).To(BeZero())
		Expect(v.run("broker", "drain")).To(Equal(ran{stdout: "0\n"}))
		Eventually(broker.ended).Should(Receive(BeNil()))
	})

	// plain is a machine with a broker of few properties, and the world that it is in.
	plain := func(jobs ...string) (*world, *vm) {
		GinkgoHelper()
		w := newWorldWithoutBroker()
		v := newVM("without-cf").of(w)
		v.install(append(jobs, "broker")...)
		return w, v
	}
	serving := func(w *world, v *vm) *program {
		GinkgoHelper()
		p := v.startBroker()
		w.awaitHealthy(p)
		return p
	}

	It("tell in pre-start all that is wrong, and start the broker only if the operator wants it so", func() {
		_, v := plain()
		v.set("service_catalog.plans", []any{object{"plan_id": "p", "name": "small", "decsription": "a slip of the pen"}})
		v.install("broker")
		refused := v.run("broker", "pre-start")
		Expect(refused.code).To(Equal(1))
		Expect(refused.stdout).To(And(ContainSubstring("service_catalog.plans[0].decsription: is not a key"), ContainSubstring("plans[0].instance_groups: is missing")))
		Expect(refused.stdout + refused.stderr).NotTo(ContainSubstring(platformPassword))

		v.set("config_check", "report")
		v.install("broker")
		reported := v.run("broker", "pre-start")
		Expect(reported.code).To(BeZero())
		Expect(reported.stdout).To(HavePrefix(refused.stdout))
	})

	It("let requests in flight end before the broker is stopped", func() {
		w, v := plain()
		broker := serving(w, v)
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Hold: "me"})).To(Succeed())
		answered := make(chan answer, 1)
		go func() {
			defer GinkgoRecover()
			answered <- w.platform.provision("i-1", nil)
		}()
		Eventually(w.calls).Should(ContainElement("generate-manifest"))
		drained := make(chan ran, 1)
		go func() {
			defer GinkgoRecover()
			drained <- v.run("broker", "drain")
		}()
		Eventually(broker.stdout.String).Should(ContainSubstring("server.stopping"))
		Consistently(drained, "300ms").ShouldNot(Receive())
		Expect(w.adapter.LetGo("me")).To(Succeed())
		var a answer
		Eventually(answered).Should(Receive(&a))
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Eventually(drained).Should(Receive(Equal(ran{stdout: "0\n"})))
		log, err := os.ReadFile(v.path("sys/log/broker/drain.log"))
		Expect(err).NotTo(HaveOccurred())
		Expect(string(log)).To(MatchRegexp(`(?s)waiting 61 s for the requests in flight.*the broker has stopped\n$`))
	})

	It("say that a broker could not be stopped in time, and don't mind one that isn't there", func() {
		w, v := plain()
		Expect(v.run("broker", "drain")).To(Equal(ran{stdout: "0\n"}))
		v.set("shutdown_timeout_in_seconds", 0)
		v.install("broker")
		broker := serving(w, v)
		Expect(broker.cmd.Process.Signal(syscall.SIGSTOP)).To(Succeed())
		Expect(v.run("broker", "drain")).To(Equal(ran{code: 1}))
	})

	It("end errands with the exit codes of their programs", func() {
		w, v := plain("orphan-deployments", "upgrade-all-service-instances", "service-metrics-adapter")
		v.set("service_instances_api.url", answering(http.StatusOK, "[]"))
		v.install("broker", "orphan-deployments", "upgrade-all-service-instances", "service-metrics-adapter")
		broker := serving(w, v)
		listed := v.run("orphan-deployments", "run")
		Expect(listed.stdout).To(Equal("[]\n"), listed.stderr)
		Expect(listed.code).To(BeZero())
		upgraded := v.run("upgrade-all-service-instances", "run")
		Expect(upgraded.stdout).To(ContainSubstring("[upgrade-all] FINISHED PROCESSING Status: SUCCESS"))
		Expect(upgraded.code).To(BeZero())
		metrics := v.run("service-metrics-adapter", "collect-service-metrics")
		Expect(metrics.stdout).To(ContainSubstring("/on-demand-broker/cache/total_instances"), metrics.stderr)
		Expect(metrics.code).To(BeZero())

		broker.kill()
		Expect(v.run("orphan-deployments", "run").code).To(Equal(1))
		Expect(v.run("service-metrics-adapter", "collect-service-metrics").code).To(Equal(1))
	})

	It("make Cloud Foundry know the broker, and forget it", func() {
		w := newWorldWithoutBroker()
		v := newVM("minimal").of(w)
		c := startCloud()
		for property, value := range map[string]any{
			"cf.url": c.URL(), "cf.root_ca_cert": c.CACert(), "cf.uaa.url": c.UAAURL(),
			"cf.uaa.authentication.client_credentials": object{"client_id": cftest.AdminClient, "client_secret": cftest.AdminClientSecret},
		} {
			v.set(property, value)
		}
		v.install("broker", "register-broker", "delete-all-service-instances-and-deregister-broker", "deregister-broker")
		serving(w, v)
		registered := v.run("register-broker", "run")
		Expect(registered.code).To(BeZero(), registered.stdout)
		brokers := func() any { return cloud{c, ""}.ask(http.MethodGet, "/v3/service_brokers", nil).body["resources"] }
		Expect(brokers()).To(HaveLen(1))
		forgotten := v.run("delete-all-service-instances-and-deregister-broker", "run")
		Expect(forgotten.stdout).To(ContainSubstring("FINISHED PURGE INSTANCES AND DEREGISTER BROKER"))
		Expect(forgotten.code).To(BeZero())
		Expect(brokers()).To(BeEmpty())

		Expect(v.run("deregister-broker", "run").code).To(BeZero(), "there is nothing left to do")
		v.set("cf.uaa.authentication.client_credentials.client_secret", "wrong")
		v.install("deregister-broker")
		Expect(v.run("deregister-broker", "run").code).To(Equal(1))
	})

	It("run commands that there are, with flags that they have", func() {
		v := newVM("full")
		jobs := []string{"register-broker", "deregister-broker", "delete-all-service-instances", "delete-all-service-instances-and-deregister-broker",
			"upgrade-all-service-instances", "recreate-all-service-instances", "orphan-deployments", "broker"}
		v.install(jobs...)
		for _, job := range jobs {
			arguments := v.command(job)[1:]
			code, out, errs := odb(append(arguments, "--help")...)
			Expect(errs).To(BeEmpty(), job)
			Expect(code).To(BeZero(), job)
			Expect(out).To(ContainSubstring("Usage:\n  odb "+arguments[0]+" "), job)
		}
	})

	It("find the predecessor's programs in the package", func() {
		work, target := GinkgoT().TempDir(), GinkgoT().TempDir()
		Expect(os.Mkdir(filepath.Join(work, "odb"), 0o755)).To(Succeed())
		Expect(os.WriteFile(filepath.Join(work, "odb", "odb"), []byte("#!/bin/bash\nbasename \"$0\"\n"), 0o755)).To(Succeed())
		script, err := filepath.Abs(filepath.Join(releaseDir, "packages", "odb", "packaging"))
		Expect(err).NotTo(HaveOccurred())
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		packaging := exec.CommandContext(ctx, "bash", script)
		packaging.Dir, packaging.Env = work, append(os.Environ(), "BOSH_INSTALL_TARGET="+target)
		output, err := packaging.CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(output))
		names := []string{"odb"}
		for _, command := range oldCommands() {
			names = append(names, command.Name())
		}
		entries, err := os.ReadDir(filepath.Join(target, "bin"))
		Expect(err).NotTo(HaveOccurred())
		var installed []string
		for _, entry := range entries {
			installed = append(installed, entry.Name())
			said, err := exec.CommandContext(ctx, filepath.Join(target, "bin", entry.Name())).Output()
			Expect(err).NotTo(HaveOccurred())
			Expect(string(said)).To(Equal(entry.Name() + "\n"))
		}
		Expect(installed).To(ConsistOf(names))
	})
})
