package broker

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

func TestOperationKeepsTheNamesOfOperationsInFlight(t *testing.T) {
	g := NewWithT(t)
	configs := []string{"cloud"}
	text, err := Operation{BoshTaskID: 7, BoshContextID: "c", OperationType: OperationDelete, PlanID: "p",
		Errands: []Errand{{Name: "e", Instances: []string{"redis/0"}}}, Configs: &configs}.encode()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(text).To(Equal(`{"BoshTaskID":7,"BoshContextID":"c","OperationType":"delete","PlanID":"p","PostDeployErrand":{},"PreDeleteErrand":{},"Errands":[{"Name":"e","Instances":["redis/0"]}],"Configs":["cloud"]}`))

	read, err := decodeOperation(text)
	g.Expect(err).NotTo(HaveOccurred())
	again, err := read.encode()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again).To(Equal(text))
}

func TestOperationThatIsTooLongIsNotHandedOut(t *testing.T) {
	_, err := Operation{OperationType: OperationCreate, PlanID: strings.Repeat("x", maxOperationLength)}.encode()
	NewWithT(t).Expect(err).To(MatchError(ContainSubstring("OSB allows 10000")))
}

func TestOperationOfAPredecessorHasNoConfigsThatAreKnown(t *testing.T) {
	g := NewWithT(t)
	read, err := decodeOperation(`{"BoshTaskID":7,"OperationType":"delete","PostDeployErrand":{"Name":"a"},"PreDeleteErrand":{}}`)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(read.Configs).To(BeNil())
	g.Expect(read.PostDeployErrand.Name).To(Equal("a"))
}

func FuzzDecodeOperation(f *testing.F) {
	for _, seed := range []string{``, `{}`, `null`, `[]`, `{"BoshTaskID":1,"OperationType":"create"}`, `{"BoshTaskID":1e99}`, `{"OperationType":"delete","Configs":null}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		operation, err := decodeOperation(text)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Fatal("a refusal must say something")
			}
			return
		}
		encoded, err := operation.encode()
		if err != nil {
			return // a longer form than was read
		}
		if again, err := decodeOperation(encoded); err != nil || again.BoshTaskID != operation.BoshTaskID || again.OperationType != operation.OperationType {
			t.Fatalf("%s read back as %+v, %v", encoded, again, err)
		}
	})
}
