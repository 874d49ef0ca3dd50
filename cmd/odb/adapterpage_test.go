package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/docs/pages"
	"github.com/on-demand-broker/odb/secrets/credhubtest"
	"github.com/on-demand-broker/odb/uaaclients/uaatest"
)

const (
	adapterPage = "../../docs/ADAPTER.md"
	// writeAdapterPage in the environment makes the story write what it recorded into the page.
	writeAdapterPage = "ODB_WRITE_ADAPTER_PAGE"
)

// outputsOnThePage are the answers that docs/ADAPTER.md shows, of the instance guid.
func outputsOnThePage() []output {
	GinkgoHelper()
	page, err := pages.Read(adapterPage)
	Expect(err).NotTo(HaveOccurred())
	var outputs []output
	for _, block := range page.Blocks {
		kind, _, _ := strings.Cut(block.Label, " ")
		if verb, isOutput := strings.CutSuffix(kind, ".output"); isOutput {
			outputs = append(outputs, output{verb, block.Text})
		}
	}
	Expect(outputs).NotTo(BeEmpty())
	return outputs
}

// recorder stands before an adapter and keeps what it reads and prints.
type recorder struct{ path, dir string }

// record makes a recorder. Runs of a subcommand are numbered, which is enough for runs one after another.
func record(adapter string) recorder {
	GinkgoHelper()
	r := recorder{dir: GinkgoT().TempDir()}
	r.path = filepath.Join(r.dir, "adapter")
	script := fmt.Sprintf(`#!/bin/sh
number=1
while ! mkdir '%[1]s'/$1-$number 2>/dev/null; do number=$((number + 1)); done
run='%[1]s'/$1-$number
printf '%%s\0' "$@" > $run/arguments
[ $# -gt 1 ] || cat > $run/stdin
[ -e $run/stdin ] || : > $run/stdin
'%[2]s' "$@" < $run/stdin > $run/stdout 2> $run/stderr
code=$?
cat $run/stdout
cat $run/stderr >&2
exit $code
`, r.dir, adapter)
	Expect(os.WriteFile(r.path, []byte(script), 0o755)).To(Succeed())
	return r
}

func (r recorder) read(run, stream string) string {
	GinkgoHelper()
	text, err := os.ReadFile(filepath.Join(r.dir, run, stream))
	Expect(err).NotTo(HaveOccurred())
	return string(text)
}

func (r recorder) stdin(run string) string  { GinkgoHelper(); return laidOut(r.read(run, "stdin")) }
func (r recorder) output(run string) string { GinkgoHelper(); return laidOut(r.read(run, "stdout")) }

// field is the JSON that is the text of a field of generate-manifest.
func (r recorder) field(run, name string) string {
	GinkgoHelper()
	var document struct {
		GenerateManifest map[string]string `json:"generate_manifest"`
	}
	Expect(json.Unmarshal([]byte(r.read(run, "stdin")), &document)).To(Succeed())
	var text bytes.Buffer
	Expect(json.Indent(&text, []byte(document.GenerateManifest[name]), "", "  ")).To(Succeed())
	return text.String() + "\n"
}

// arguments are those after the subcommand, as a list.
func (r recorder) arguments(run string) string {
	GinkgoHelper()
	var text strings.Builder
	for i, argument := range strings.Split(strings.TrimSuffix(r.read(run, "arguments"), "\x00"), "\x00")[1:] {
		if i > 0 {
			text.WriteString(",\n")
		}
		quoted, err := json.Marshal(argument)
		Expect(err).NotTo(HaveOccurred())
		text.WriteString("  " + string(quoted))
	}
	return "[\n" + text.String() + "\n]\n"
}

// laidOut has a line for each member of an object, and for the members of those that don't fit on one, their order unchanged. What
// has nothing in it stays on one line.
func laidOut(document string) string {
	GinkgoHelper()
	return lines(json.RawMessage(document), "") + "\n"
}

var withoutValue = regexp.MustCompile(`^\{("\w+":"",?)*\}$`)

func lines(value json.RawMessage, indent string) string {
	GinkgoHelper()
	var compact bytes.Buffer
	Expect(json.Compact(&compact, value)).To(Succeed())
	short := compact.Len() <= 100 || withoutValue.Match(compact.Bytes())
	if compact.Bytes()[0] != '{' || indent != "" && short {
		return compact.String()
	}
	decoder := json.NewDecoder(bytes.NewReader(value))
	_, err := decoder.Token()
	Expect(err).NotTo(HaveOccurred())
	var members []string
	for decoder.More() {
		name, err := decoder.Token()
		Expect(err).NotTo(HaveOccurred())
		var member json.RawMessage
		Expect(decoder.Decode(&member)).To(Succeed())
		members = append(members, fmt.Sprintf("%s  %q: %s", indent, name, lines(member, indent+"  ")))
	}
	return "{\n" + strings.Join(members, ",\n") + "\n" + indent + "}"
}

// alike gives what is random in a recording a value that it always has.
func alike(recording string) string {
	for pattern, always := range map[string]string{
		`\b[A-Z2-7]{26}\b`:                  "QX3Y7DN2JVW5KE6CRZ4TMPLHAG",
		`\b[0-9A-Za-z]{32}\b`:               "tV8mKq2ZcR5xWb7NfJ3hLd9PsG4yQa6E",
		`dashboard-client-secret-[0-9a-f]+`: "dashboard-client-secret-4f1c09d2a7be",
	} {
		recording = regexp.MustCompile(pattern).ReplaceAllString(recording, always)
	}
	return recording
}

// The messages are those of one run through the life of an instance: they can't be other than what is sent and printed.
var _ = Describe("the messages that docs/ADAPTER.md shows", func() {
	It("are those of a run", func(ctx SpecContext) {
		dir := GinkgoT().TempDir()
		shown := map[string]string{}
		recordLife(record(buildExample(ctx, "cache-secure", dir)), shown)
		recordOldProtocol(record(buildExample(ctx, "cache", dir)), shown)
		for label, text := range shown {
			shown[label] = alike(text)
		}
		if os.Getenv(writeAdapterPage) != "" {
			writeMessages(shown)
		}
		page, err := pages.Read(adapterPage)
		Expect(err).NotTo(HaveOccurred())
		onThePage := map[string]string{}
		for _, block := range page.Blocks {
			if strings.Contains(block.Label, " of ") {
				onThePage[block.Label] = block.Text
			}
		}
		const anew = "to write it anew: " + writeAdapterPage + "=1 go test ./cmd/odb -ginkgo.focus 'messages that docs/ADAPTER.md shows'"
		for label, text := range onThePage {
			Expect(text).To(Equal(shown[label]), "%s: %s", label, anew)
		}
		Expect(onThePage).To(HaveLen(len(shown)), anew)
	})
})

// recordLife records what the adapter with everything reads and prints.
func recordLife(adapter recorder, shown map[string]string) {
	GinkgoHelper()
	credhub := credhubtest.Start(credhubtest.Options{})
	DeferCleanup(credhub.Close)
	uaa := uaatest.Start(uaatest.Options{ClientID: "odb", ClientSecret: "odb-secret", Scopes: []string{"clients.read", "clients.write"}})
	DeferCleanup(uaa.Close)
	w := newWorld(servingCacheSecure(adapter.path, credhub, uaa)...)
	w.succeeds(guid, 1, func() answer {
		return w.platform.do("PUT", instancePath(guid)+"?accepts_incomplete=true", merged(provisionBody(smallPlan), cloudFoundryAsks), asks("cloudfoundry", `{"user_id":"683ea748-3092-4ff4-b656-39cacc4d5360"}`))
	})
	w.credentials(guid, "b-1", smallPlan)
	refusal := w.platform.update(guid, object{"parameters": object{"max_memory": 1}})
	Expect(refusal.status).To(Equal(http.StatusInternalServerError))
	w.succeeds(guid, 1, func() answer { return w.platform.update(guid, object{"plan_id": largePlan}) })
	Expect(w.platform.unbind(guid, "b-1").status).To(Equal(http.StatusOK))

	// The second run compares and the third is the refused update's, the fourth compares again.
	shown["generate-manifest.stdin of a provision"] = adapter.stdin("generate-manifest-1")
	shown["plan of a provision"] = adapter.field("generate-manifest-1", "plan")
	shown["request_parameters of a provision"] = adapter.field("generate-manifest-1", "request_parameters")
	shown["generate-manifest.output of a provision"] = adapter.output("generate-manifest-1")
	shown["generate-manifest.stdin of an update"] = adapter.stdin("generate-manifest-5")
	shown["generate-manifest.output of an update"] = adapter.output("generate-manifest-5")
	shown["stdout of a refusal"] = adapter.read("generate-manifest-3", "stdout") + "\n"
	shown["answer of a refusal"] = laidOut(refusal.text)
	shown["dashboard-url.stdin of a provision"] = adapter.stdin("dashboard-url-1")
	shown["dashboard-url.output of a provision"] = adapter.output("dashboard-url-1")
	shown["create-binding.stdin of a bind"] = adapter.stdin("create-binding-1")
	shown["create-binding.output of a bind"] = adapter.output("create-binding-1")
	shown["delete-binding.stdin of an unbind"] = adapter.stdin("delete-binding-1")
}

// recordOldProtocol records what is different for an adapter that gets arguments, and the schemas, which the other one doesn't have.
func recordOldProtocol(adapter recorder, shown map[string]string) {
	GinkgoHelper()
	w := newWorldWithoutBroker(strictDirector)
	schemas := with("use_stdin: true", "use_stdin: true\n  enable_plan_schemas: true")
	w.serve(servingExample("cache", adapter.path), schemas)
	w.serve(servingExample("cache", adapter.path), with("use_stdin: true", "use_stdin: false"))
	w.succeeds(guid, 0, func() answer { return w.platform.provision(guid, nil) })
	w.credentials(guid, "b-1", smallPlan)
	first := adapter.stdin("generate-plan-schemas-1") // the plans are asked for at the same time
	if !strings.Contains(first, `\"instances\":1`) {
		first = adapter.stdin("generate-plan-schemas-2")
	}
	shown["generate-plan-schemas.stdin of a start"] = first
	shown["generate-plan-schemas.output of a start"] = adapter.output("generate-plan-schemas-1")
	shown["generate-manifest.arguments of a provision"] = adapter.arguments("generate-manifest-1")
	shown["create-binding.arguments of a bind"] = adapter.arguments("create-binding-1")
}

// writeMessages puts recordings into the page's blocks of their names.
func writeMessages(shown map[string]string) {
	GinkgoHelper()
	text, err := os.ReadFile(adapterPage)
	Expect(err).NotTo(HaveOccurred())
	page := string(text)
	for label, recording := range shown {
		block := regexp.MustCompile("(?s)(```[a-z]+ " + regexp.QuoteMeta(label) + "\n).*?(```\n)")
		Expect(block.MatchString(page)).To(BeTrue(), "the page has a block %q", label)
		page = block.ReplaceAllStringFunc(page, func(old string) string {
			parts := block.FindStringSubmatch(old)
			return parts[1] + recording + parts[2]
		})
	}
	Expect(os.WriteFile(adapterPage, []byte(page), 0o644)).To(Succeed())
}
