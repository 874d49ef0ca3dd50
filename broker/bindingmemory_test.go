package broker

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient"
)

func TestBindingsInMemory(t *testing.T) {
	g := NewWithT(t)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	place, err := newSealedBindings()
	memory := &memoryBindings{sealedBindings: place, answers: true, now: func() time.Time { return now }}
	g.Expect(err).NotTo(HaveOccurred())
	name := bindingName{"i", "b"}
	read := func() *knownBinding {
		known, err := memory.read(context.Background(), name)
		g.Expect(err).NotTo(HaveOccurred())
		return known
	}
	write := func() {
		g.Expect(memory.write(context.Background(), name, knownBinding{Digest: "d", Answer: &adapterclient.Binding{Credentials: json.RawMessage(`"hush"`)}})).To(Succeed())
	}
	g.Expect(read()).To(BeNil())
	write()
	g.Expect(string(memory.known.get(name).text)).NotTo(ContainSubstring("hush"), "it is sealed")
	g.Expect(read()).To(HaveField("Answer.Credentials", json.RawMessage(`"hush"`)))

	memory.fetched(name)
	now = now.Add(keptFetched - time.Second)
	g.Expect(read().Answer).NotTo(BeNil(), "the answer may have got lost")
	now = now.Add(time.Second)
	g.Expect(read()).To(Equal(&knownBinding{Digest: "d"}), "that it is there stays known")

	write()
	now = now.Add(keptUnfetched)
	g.Expect(read().Answer).To(BeNil(), "nobody came for it")

	sealed := memory.known.get(name)
	memory.known.change(bindingName{"i", "other"}, func(sealedBinding) sealedBinding { return sealed })
	_, err = memory.read(context.Background(), bindingName{"i", "other"})
	g.Expect(err).To(MatchError(ContainSubstring("can't be opened")), "it is another binding's")

	memory.forgetInstance("other")
	g.Expect(read()).NotTo(BeNil())
	memory.forgetInstance("i")
	g.Expect(read()).To(BeNil())
}

func TestAnswersStayOutOfMemoryUnlessTheOperatorWantsThem(t *testing.T) {
	g := NewWithT(t)
	place, err := newSealedBindings()
	memory := &memoryBindings{sealedBindings: place, now: time.Now}
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(memory.write(context.Background(), bindingName{"i", "b"}, knownBinding{Digest: "d", Answer: &adapterclient.Binding{}})).To(Succeed())
	g.Expect(memory.read(context.Background(), bindingName{"i", "b"})).To(Equal(&knownBinding{Digest: "d"}))
	g.Expect(memory.forget(context.Background(), bindingName{"i", "b"})).To(Succeed())
	g.Expect(memory.read(context.Background(), bindingName{"i", "b"})).To(BeNil())
}
