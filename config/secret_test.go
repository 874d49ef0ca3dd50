package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"code.cloudfoundry.org/lager/v3"
	"gopkg.in/yaml.v3"

	"github.com/on-demand-broker/odb/config"
)

func TestSecretsNeverPrint(t *testing.T) {
	t.Parallel()
	const value = "hunter2"
	type holder struct {
		Secret  config.Secret
		Pointer *config.Secret
		List    []config.Secret
		Values  config.SecretValues
	}
	secret := config.NewSecret(value)
	values := config.SecretValues{"TOKEN": value}
	held := holder{secret, &secret, []config.Secret{secret}, values}
	unasked := struct {
		secret  config.Secret
		private *config.MaintenanceInfo
		client  *config.DashboardClient
		auth    *config.BOSHAuthentication
	}{
		secret, &config.MaintenanceInfo{Private: map[string]config.Secret{"a": secret}}, &config.DashboardClient{Secret: secret},
		&config.BOSHAuthentication{Basic: config.BasicAuthentication{Password: secret}},
	}
	var whole config.Config
	whole.Broker.Password = secret
	whole.ServiceAdapter.Env = values
	catalog := config.ServiceCatalog{
		DashboardClient: &config.DashboardClient{Secret: secret},
		MaintenanceInfo: &config.MaintenanceInfo{Private: map[string]config.Secret{"a": secret}},
		Plans:           []config.Plan{{MaintenanceInfo: &config.MaintenanceInfo{Private: map[string]config.Secret{"a": secret}}}},
	}
	whole.ServiceCatalog = catalog

	for name, thing := range map[string]any{
		"secret": secret, "pointer": &secret, "values": values, "pointer to values": &values, "holder": held, "pointer to holder": &held, "catalog": catalog, "unasked": unasked, "config": whole,
		"pointer to config": &whole, "holder of the config": struct{ Config *config.Config }{&whole},
	} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "% x", "%#x", "%10s", "%T"} {
			fmt.Fprintf(&out, verb+"\n", thing)
		}
		fmt.Fprintln(&out, thing)
		text, _ := json.Marshal(thing)
		out.Write(text)
		text, _ = yaml.Marshal(thing)
		out.Write(text)
		slog.New(slog.NewTextHandler(&out, nil)).Info("text", "thing", thing)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("json", "thing", thing)
		logger := lager.NewLogger("test")
		logger.RegisterSink(lager.NewWriterSink(&out, lager.DEBUG))
		logger.Info("lager", lager.Data{"thing": thing})
		slog.New(lager.NewHandler(logger)).Info("lager's slog", "thing", thing)
		logger.Error("error", fmt.Errorf("with %v", thing))
		for _, form := range []string{value, fmt.Sprintf("%x", value), fmt.Sprintf("%X", value), fmt.Sprintf("% x", value)} {
			if strings.Contains(out.String(), form) {
				t.Errorf("%s tells its secret: %s", name, out.String())
			}
		}
		if name != "unasked" && !strings.Contains(out.String(), "<secret>") && !strings.Contains(out.String(), `\u003csecret\u003e`) {
			t.Errorf("%s doesn't show that there is a secret: %s", name, out.String())
		}
	}
	if secret.Empty() || !config.NewSecret("").Empty() || config.NewSecret("") != (config.Secret{}) || (config.Secret{}).Reveal() != "" {
		t.Error("emptiness")
	}
	if secret.Reveal() != value || values["TOKEN"] != value {
		t.Error("the value is gone")
	}
	var environment map[string]string = values
	if environment["TOKEN"] != value {
		t.Error("the values can't be used as a plain map")
	}
}

// What was meant for a secret's key and can't be read is as secret as what can.
func TestProblemsNeverQuoteSecrets(t *testing.T) {
	t.Parallel()
	const value = "hunter2"
	for _, written := range []string{
		"[hunter2]", "{a: hunter2}", "*hunter2", "&hunter2", "!!int hunter2", "!hunter2 [x]", "'hunter2", `"hunter2\q"`, "%hunter2", "@hunter2", "hunter2: x", "hunter2\n  bad: [", "|x hunter2",
	} {
		for _, key := range []string{"broker.password", "bosh.authentication.basic.password", "credhub.client_secret", "service_adapter.env.TOKEN", "service_catalog.dashboard_client.secret"} {
			var text strings.Builder
			names := strings.Split(key, ".")
			for i, name := range names[:len(names)-1] {
				fmt.Fprintf(&text, "%s%s:\n", strings.Repeat("  ", i), name)
			}
			fmt.Fprintf(&text, "%s%s: %s\n", strings.Repeat("  ", len(names)-1), names[len(names)-1], written)
			_, rest, err := config.Parse("broker.yml", []byte(text.String()))
			if said := lines(everything(rest, err)); said == "" || strings.Contains(said, value) {
				t.Errorf("%s\nsays: %s", text.String(), said)
			}
		}
	}
}
