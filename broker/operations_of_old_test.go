package broker

import (
	"encoding/json"
	"os"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
)

// The file holds operation strings as the existing broker hands them out, of every type, with tasks in which a change of
// brokers may find them.
func TestOperationsOfTheExistingBrokerGoOn(t *testing.T) {
	text, err := os.ReadFile("testdata/operations_of_old.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		About, Operation, Want string
		Tasks                  [][3]any
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	names := map[action]string{wait: "wait", start: "start ", succeed: "succeed", fail: "fail", cannotTell: "cannot tell"}
	for _, c := range cases {
		t.Run(c.About, func(t *testing.T) {
			g := NewWithT(t)
			operation, err := decodeOperation(c.Operation)
			g.Expect(err).NotTo(HaveOccurred())
			var tasks []attempt
			for _, task := range c.Tasks {
				tasks = append(tasks, attempt{Task: boshclient.Task{ID: int(task[0].(float64)), Description: task[1].(string), State: task[2].(string), Deployment: dep}})
			}
			got := next(operation, dep, tasks)
			said := names[got.action]
			if got.action == start {
				said += got.due.String()
			}
			g.Expect(said).To(Equal(c.Want))
		})
	}
}
