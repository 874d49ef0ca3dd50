package broker

import (
	"context"
	"errors"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/secrets"
)

type deployedVariables struct {
	Deployments
	variables []boshclient.Variable
}

func (d deployedVariables) Variables(context.Context, string) ([]boshclient.Variable, error) {
	return d.variables, nil
}

// latest are the ids of the latest versions, by name.
type latest struct {
	ManifestSecrets
	ids map[string]string
}

func (l latest) Latest(_ context.Context, name string) (secrets.Credential, error) {
	if l.ids[name] == "" {
		return secrets.Credential{}, errors.New("not shown")
	}
	return secrets.Credential{ID: l.ids[name], Name: name}, nil
}

func TestRotatedVariables(t *testing.T) {
	variables := []boshclient.Variable{{ID: "1", Name: "/a"}, {ID: "2", Name: "/b"}}
	for name, c := range map[string]struct {
		variables []boshclient.Variable
		credhub   ManifestSecrets
		want      string
	}{
		"none":                        {nil, nil, ""},
		"some, and no CredHub":        {variables, nil, "it has 2 variables, and without a CredHub the broker can't tell whether they were rotated"},
		"as they were deployed":       {variables, latest{ids: map[string]string{"/a": "1", "/b": "2"}}, ""},
		"one of them rotated":         {variables, latest{ids: map[string]string{"/a": "1", "/b": "3"}}, "variable /b was rotated"},
		"one that CredHub won't show": {variables, latest{ids: map[string]string{"/a": "1"}}, "whether variable /b was rotated can't be told: not shown"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			b := &Broker{Options: Options{Deployments: deployedVariables{variables: c.variables}, ManifestSecrets: c.credhub}}
			why, err := b.rotated(context.Background(), "service-instance_i")
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(why).To(Equal(c.want))
		})
	}
}
