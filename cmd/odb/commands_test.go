package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// odb runs a command to its end.
func odb(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(context.Background(), args, &out, &errs)
	return code, out.String(), errs.String()
}

var _ = Describe("the commands", func() {
	It("say what they are", func() {
		code, out, _ := odb("version")
		Expect(code).To(BeZero())
		Expect(out).To(HavePrefix("odb "))
		code, out, _ = odb("--help")
		Expect(code).To(BeZero())
		for _, command := range []string{"serve", "dev", "config", "version", "completion"} {
			Expect(out).To(ContainSubstring("\n  " + command))
		}
		code, out, _ = odb("completion", "bash")
		Expect(code).To(BeZero())
		Expect(out).To(ContainSubstring("bash completion"))
	})

	It("fail with one line on stderr and exit code 1", func() {
		for _, args := range [][]string{{"serve"}, {"serve", "--config", "/does/not/exist.yml"}, {"nonsense"}, {"serve", "--nonsense"}, {"config", "check"}} {
			code, out, errs := odb(args...)
			Expect(code).To(Equal(1), "%v", args)
			Expect(out).To(BeEmpty(), "%v", args)
			Expect(errs).To(MatchRegexp(`^odb: .+\n$`), "%v", args)
		}
	})

	It("give an example of a configuration that passes the check", func() {
		_, example, _ := odb("config", "example")
		Expect(example).To(ContainSubstring("service_catalog:"))
	})

	Describe("config check", func() {
		write := func(text string) string {
			path := filepath.Join(GinkgoT().TempDir(), "broker.yml")
			Expect(os.WriteFile(path, []byte(text), 0o600)).To(Succeed())
			return path
		}

		It("tells all that is wrong, each with its line, and never a secret", func() {
			path := write("broker:\n  port: 0\n  pasword: hush-hush\n  username: u\nnonsense: 1\n")
			code, out, _ := odb("config", "check", "--config", path)
			Expect(code).To(Equal(1))
			Expect(out).To(And(ContainSubstring(path+":2: broker.port: "), ContainSubstring(path+":3: broker.pasword: "), ContainSubstring(`"password"`),
				ContainSubstring(path+":5: nonsense: "), Not(ContainSubstring("hush-hush"))))
		})

		It("tells it as JSON", func() {
			code, out, _ := odb("config", "check", "--json", "--config", write("broker: {}\n"))
			Expect(code).To(Equal(1))
			var problems []map[string]any
			Expect(json.Unmarshal([]byte(out), &problems)).To(Succeed())
			Expect(problems).To(ContainElement(And(HaveKeyWithValue("path", "broker.port"), HaveKey("line"), HaveKey("problem"), HaveKey("want"))))
		})

		It("passes the stories' own", func() {
			w := newWorldWithoutBroker()
			path := w.writeConfig()
			code, out, errs := odb("config", "check", "--configFilePath", path)
			Expect(out + errs).To(Equal(path + ": ok\n"))
			Expect(code).To(BeZero())
		})
	})

	It("serve refuses a configuration that can't be right, with all that is wrong on stderr", func() {
		path := filepath.Join(GinkgoT().TempDir(), "broker.yml")
		Expect(os.WriteFile(path, []byte("broker:\n  username: u\nbosh: {}\n"), 0o600)).To(Succeed())
		code, _, errs := odb("serve", "-configFilePath", path)
		Expect(code).To(Equal(1))
		Expect(errs).To(And(HavePrefix("error parsing config:"), ContainSubstring("broker.port"), ContainSubstring("bosh.url")))
	})
})
