package broker

import (
	"testing"

	. "github.com/onsi/gomega"
	"github.com/pivotal-cf/brokerapi/v11/domain"
)

func TestOperationsOnBindingsThatNobodyIsAt(t *testing.T) {
	const here, before = "this process", "the one before"
	bind, unbind := bindingCursor{OperationBind, "1", here}, bindingCursor{OperationUnbind, "1", here}
	lost := func(asked bindingCursor) bindingCursor { asked.Process = before; return asked }
	of := func(id string, operation OperationType, state domain.LastOperationState) *knownBinding {
		return &knownBinding{Operation: bindingOperation{Type: operation, ID: id, State: state}}
	}
	const unknown = domain.LastOperationState("")
	for name, test := range map[string]struct {
		asked   bindingCursor
		known   *knownBinding
		lasting bool
		want    domain.LastOperationState
	}{
		"of nothing":                                {bindingCursor{}, nil, true, unknown},
		"of one made in the request":                {bindingCursor{}, &knownBinding{}, true, domain.Succeeded},
		"the last one":                              {bindingCursor{}, of("7", OperationBind, domain.Failed), true, domain.Failed},
		"the one that is known":                     {bind, of("1", OperationBind, domain.InProgress), true, domain.InProgress},
		"a bind after which all was taken back":     {bind, nil, true, unknown},
		"a bind that another operation followed":    {bind, of("2", OperationUnbind, domain.InProgress), true, domain.Failed},
		"a bind that was made in a request since":   {bind, &knownBinding{}, true, domain.Failed},
		"an unbind that left nothing":               {unbind, nil, true, domain.Succeeded},
		"an unbind that a bind followed":            {unbind, of("2", OperationBind, domain.InProgress), true, domain.Succeeded},
		"a bind that was lost with its process":     {lost(bind), nil, false, domain.Failed},
		"an unbind that was lost with its process":  {lost(unbind), nil, false, domain.Failed},
		"a bind that this process knows nothing of": {bind, nil, false, unknown},
		"an unbind that this process has forgotten": {unbind, nil, false, unknown},
	} {
		got, found := lookUpOperation(test.asked, test.known, test.lasting, here)
		NewWithT(t).Expect(got.State).To(Equal(test.want), name)
		NewWithT(t).Expect(found).To(Equal(test.want != unknown), name)
	}
}

func FuzzBindingCursor(f *testing.F) {
	f.Add(bindingOperation{Type: OperationBind, ID: "1", Process: "p"}.handedOut())
	f.Add(`{"Operation":"create","ID":"1"}`)
	f.Add(`{"Operation":7}`)
	f.Fuzz(func(t *testing.T, text string) {
		cursor, err := decodeBindingCursor(text)
		if err == nil && (cursor.ID == "" || (cursor.Operation != OperationBind && cursor.Operation != OperationUnbind)) {
			t.Errorf("%q is %+v", text, cursor)
		}
	})
}
