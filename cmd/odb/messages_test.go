package main

import (
	"encoding/json"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/docs/adapter"
)

// exactMessages are the schemas of the adapter protocol's messages, without what later versions may add.
var exactMessages = sync.OnceValues(adapter.Exact)

// keepsToTheProtocol checks what a story's adapter was called with against the schemas of docs/adapter. Every story ends with it.
func (w *world) keepsToTheProtocol() {
	GinkgoHelper()
	messages, err := exactMessages()
	Expect(err).NotTo(HaveOccurred())
	calls, err := w.adapter.Calls()
	Expect(err).NotTo(HaveOccurred())
	for _, call := range calls {
		kind, message := messageOf(call)
		Expect(messages.Check(kind, message)).To(Succeed(), string(message))
	}
}

// messageOf is what a call was told, whichever the transport.
func messageOf(call adaptertest.Call) (kind string, message []byte) {
	GinkgoHelper()
	if len(call.Args) == 0 {
		return call.Verb + ".stdin", []byte(call.Stdin)
	}
	Expect(call.Stdin).To(BeEmpty())
	message, err := json.Marshal(call.Args)
	Expect(err).NotTo(HaveOccurred())
	return call.Verb + ".arguments", message
}
