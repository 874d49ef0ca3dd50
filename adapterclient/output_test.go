package adapterclient

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestGeneratedManifest(t *testing.T) {
	for name, test := range map[string]struct {
		output string
		want   GeneratedManifest
	}{
		"only the manifest": {`{"manifest":"name: one\n"}`, GeneratedManifest{Manifest: "name: one\n"}},
		"nulls":             {`{"manifest":"m","secrets":null,"configs":null,"labels":null}` + "\n", GeneratedManifest{Manifest: "m"}},
		"an empty object":   {`{}`, GeneratedManifest{}},
		"unknown keys":      {`{"manifest":"m","future":[1]}`, GeneratedManifest{Manifest: "m"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseGeneratedManifest([]byte(test.output))
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	full, err := parseGeneratedManifest([]byte(`{"manifest":"m","secrets":{"a":"x","b":{"n":12345678901234567890.10}},` +
		`"configs":{"cloud":"vm_types: []"},"labels":{"n":1e400}}`))
	if err != nil {
		t.Fatal(err)
	}
	if string(full.Secrets["a"]) != `"x"` || string(full.Secrets["b"]) != `{"n":12345678901234567890.10}` ||
		full.Configs["cloud"] != "vm_types: []" || string(full.Labels["n"]) != "1e400" {
		t.Errorf("got %+v", full)
	}
}

func TestUnusableOutput(t *testing.T) {
	for name, output := range map[string]string{
		"nothing":          "",
		"a text":           "s3cret",
		"half an object":   `{"credentials":{"password":"s3cret"`,
		"two objects":      `{"credentials":{}} {"password":"s3cret"}`,
		"a list":           `["s3cret"]`,
		"a number":         `537375`,
		"another type":     `{"credentials":{},"syslog_drain_url":537375}`,
		"a trailing log":   `{"credentials":{}}` + "\nbound to s3cret",
		"a byte order ...": "\ufeff" + `{"credentials":{"password":"s3cret"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseBinding([]byte(output))
			var unusable *OutputError
			if !errors.Is(err, ErrOutput) || !errors.As(err, &unusable) || unusable.Verb != VerbCreateBinding || unusable.Limit != 0 {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "537375") {
				t.Errorf("the error quotes the output: %v", err)
			}
		})
	}
}

func TestBindingOutput(t *testing.T) {
	for name, test := range map[string]struct{ output, credentials string }{
		"an object, as it is": {`{"credentials":{"port":1.0, "big":12345678901234567890}}`, `{"port":1.0, "big":12345678901234567890}`},
		"none":                {`{"backup_agent_url":"https://b"}`, ""},
		"null":                {`{"credentials":null}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseBinding([]byte(test.output))
			if err != nil || string(got.Credentials) != test.credentials || (got.Credentials == nil) != (test.credentials == "") {
				t.Errorf("got %s, %v", got.Credentials, err)
			}
		})
	}
	all, err := parseBinding([]byte(`{"syslog_drain_url":"s","route_service_url":"r","backup_agent_url":"b"}`))
	if err != nil || !reflect.DeepEqual(all, Binding{SyslogDrainURL: "s", RouteServiceURL: "r", BackupAgentURL: "b"}) {
		t.Errorf("got %+v, %v", all, err)
	}
}

func TestBindingOutputBeyondTheOldProtocol(t *testing.T) {
	got, err := parseBinding([]byte(`{"endpoints":[{"host":"10.0.0.1","ports":["6379","7000-7005"],"protocol":"tcp"}],
		"metadata":{"expires_at":"2026-01-31T10:00:00+02:00","renew_before":"2026-01-30T08:00:00.5Z","password":"s3cret"}}`))
	want := Binding{
		Endpoints: []Endpoint{{Host: "10.0.0.1", Ports: []string{"6379", "7000-7005"}, Protocol: "tcp"}},
		Metadata: BindingMetadata{
			ExpiresAt:   time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC),
			RenewBefore: time.Date(2026, 1, 30, 8, 0, 0, 500_000_000, time.UTC),
		},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	for what, output := range map[string]string{
		"metadata.expires_at is no time":       `{"metadata":{"expires_at":"s3cret"}}`,
		"metadata.renew_before is no time":     `{"metadata":{"renew_before":"2026-01-31"}}`,
		"renew_before is later":                `{"metadata":{"expires_at":"2026-01-31T08:00:00Z","renew_before":"2026-02-01T08:00:00Z"}}`,
		"another type at":                      `{"metadata":{"expires_at":1769846400}}`,
		"endpoints[0] has no host":             `{"endpoints":[{"ports":["1"]}]}`,
		"endpoints[1] needs ports":             `{"endpoints":[{"host":"h","ports":["1"]},{"host":"h","ports":[]}]}`,
		"endpoints[0] needs ports":             `{"endpoints":[{"host":"h","ports":[""]}]}`,
		"endpoints[0] has a protocol that is":  `{"endpoints":[{"host":"h","ports":["1"],"protocol":"s3cret"}]}`,
		"the JSON has another type at \"endpo": `{"endpoints":[{"host":"h","ports":[6379]}]}`,
	} {
		_, err := parseBinding([]byte(output))
		if !errors.Is(err, ErrOutput) || !strings.Contains(err.Error(), what) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %v", output, err)
		}
	}
}

func TestPlanSchemasOutput(t *testing.T) {
	got, err := parsePlanSchemas([]byte(`{"service_instance":{"create":{"parameters":{"a":1}},"update":{}},"service_binding":{"create":{"parameters":{"c":3}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if string(got.InstanceCreate) != `{"a":1}` || got.InstanceUpdate != nil || string(got.BindingCreate) != `{"c":3}` {
		t.Errorf("got %+v", got)
	}
}

func FuzzOutput(f *testing.F) {
	for _, seed := range []string{
		"", "null", "{}", "[]", `{"manifest":"m","secrets":{"a":1},"configs":{"cloud":""},"labels":{"x":[]}}`,
		`{"credentials":{"a":1},"syslog_drain_url":""}`, `{"service_instance":{"create":{"parameters":{}}}}`, "{\"manifest\":\"\xff\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, output []byte) {
		_, manifestErr := parseGeneratedManifest(output)
		_, bindingErr := parseBinding(output)
		_, schemasErr := parsePlanSchemas(output)
		for _, err := range []error{manifestErr, bindingErr, schemasErr} {
			if err != nil && !errors.Is(err, ErrOutput) {
				t.Errorf("not the fact that it is: %v", err)
			}
		}
	})
}

func TestCapture(t *testing.T) {
	overflows := 0
	first := capture{limit: 4, overflowed: func() { overflows++ }}
	last := capture{limit: 4, keepEnd: true}
	for _, chunk := range []string{"ab", "cd", "ef", "ghi", "j\n"} {
		first.add([]byte(chunk))
		last.add([]byte(chunk))
	}
	if string(first.kept) != "abcd" || first.dropped != 7 || overflows != 1 {
		t.Errorf("kept %q, dropped %d, %d overflows", first.kept, first.dropped, overflows)
	}
	if got := last.logText(); got != "[7 bytes left out] hij" {
		t.Errorf("got %q", got)
	}
	exact := capture{limit: 4, overflowed: func() { t.Error("an overflow at the limit itself") }}
	exact.add([]byte("abcd"))
	if string(exact.kept) != "abcd" || exact.dropped != 0 || exact.logText() != "abcd" {
		t.Errorf("kept %q, dropped %d", exact.kept, exact.dropped)
	}
}

func TestFirstText(t *testing.T) {
	for _, test := range []struct {
		text  string
		limit int
		want  string
	}{{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"aé", 2, "a"}, {"aé", 3, "aé"}, {"日本", 5, "日"}, {"\x80\x80", 1, ""}} {
		if got := firstText([]byte(test.text), test.limit); got != test.want {
			t.Errorf("%q cut at %d: %q", test.text, test.limit, got)
		}
	}
}
