package devdirector_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/devdirector"
)

var _ = Describe("tasks", func() {
	var (
		clock *devdirector.ManualClock
		d     *devdirector.Director
		bosh  *caller
	)

	run := func(o devdirector.Options) {
		clock = devdirector.NewManualClock(began)
		o.Clock = clock
		d = start(o)
		bosh = callerOf(d)
	}
	states := func(ids ...int) []string {
		var list []string
		for _, id := range ids {
			list = append(list, bosh.task(id).State)
		}
		return list
	}

	It("queue when all workers are busy", func() {
		run(devdirector.Options{Workers: 2, TaskDuration: time.Minute})
		first, second, third := bosh.deploy(manifestOf("a", 1)), bosh.deploy(manifestOf("b", 1)), bosh.deploy(manifestOf("c", 1))
		Expect(states(first, second, third)).To(Equal([]string{"processing", "processing", "queued"}))
		Expect(bosh.task(third).StartedAt).To(BeNil())

		clock.Advance(time.Minute)
		Expect(states(first, second, third)).To(Equal([]string{"done", "done", "processing"}))
		Expect(*bosh.task(third).StartedAt).To(Equal(began.Add(time.Minute).Unix()))
	})

	It("happen at their own time, whenever somebody looks", func() {
		run(devdirector.Options{Workers: 1, TaskDuration: time.Minute})
		first, second := bosh.deploy(manifestOf("a", 1)), bosh.deploy(manifestOf("b", 1))
		clock.Advance(time.Hour)
		Expect(*bosh.task(first).Timestamp).To(Equal(began.Add(time.Minute).Unix()))
		Expect(*bosh.task(second).Timestamp).To(Equal(began.Add(2 * time.Minute).Unix()))
	})

	It("wait ten seconds for the deployment's lock, then fail", func() {
		run(devdirector.Options{TaskDuration: time.Minute})
		first, second := bosh.deploy(manifestOf("a", 1)), bosh.deploy(manifestOf("a", 1))
		Expect(states(first, second)).To(Equal([]string{"processing", "processing"}))
		Expect(bosh.get("/locks").body).To(ContainSubstring(fmt.Sprintf(`"resource":["a"],"timeout":"%d.000000","task_id":"%d"`, began.Add(4*time.Minute).Unix(), first)))
		Expect(bosh.get("/deployments").body).To(ContainSubstring(`"locked":true`))

		clock.Advance(10*time.Second - time.Nanosecond)
		Expect(states(second)).To(Equal([]string{"processing"}))
		clock.Advance(time.Nanosecond)
		Expect(states(first, second)).To(Equal([]string{"processing", "error"}))
		Expect(*bosh.task(second).Result).To(HavePrefix("Failed to acquire lock for lock:deployment:a uid: "))
		Expect(bosh.events(second)).To(ContainSubstring(fmt.Sprintf("Locking task id is %d, description: 'create deployment'", first)))
	})

	It("get the lock as soon as it is free", func() {
		run(devdirector.Options{TaskDuration: 9 * time.Second})
		bosh.deploy(manifestOf("a", 1))
		second := bosh.send(http.MethodDelete, "/deployments/a", "").task()
		clock.Advance(18 * time.Second)
		Expect(states(second)).To(Equal([]string{"done"}))
		Expect(bosh.get("/deployments/a").status).To(Equal(http.StatusNotFound))
	})

	It("keep their state in the list: newest change first, by deployment, context and state", func() {
		run(devdirector.Options{TaskDurations: map[devdirector.Kind]time.Duration{devdirector.KindDeploy: time.Minute}})
		a := bosh.deploy(manifestOf("a", 1), "X-Bosh-Context-Id", "ctx")
		clock.Advance(time.Second)
		b := bosh.deploy(manifestOf("b", 1))
		bosh.get("/deployments/b/vms?format=full")
		clock.Advance(time.Hour)
		list := func(query string) []int {
			var tasks []taskState
			bosh.getJSON("/tasks?"+query, &tasks)
			var found []int
			for _, t := range tasks {
				found = append(found, t.ID)
			}
			return found
		}
		Expect(list("")).To(Equal([]int{b, a}))
		Expect(list("verbose=2")).To(HaveLen(3))
		Expect(list("limit=1")).To(Equal([]int{b}))
		Expect(list("deployment=a")).To(Equal([]int{a}))
		Expect(list("context_id=ctx")).To(Equal([]int{a}))
		Expect(list("context_id=ctx&deployment=b")).To(BeEmpty())
		Expect(list("state=queued,processing")).To(BeEmpty())
	})

	Describe("that are cancelled", func() {
		It("end at their next step", func() {
			run(devdirector.Options{TaskDuration: time.Minute})
			id := bosh.deploy(manifestOf("a", 3))
			clock.Advance(50 * time.Second)
			Expect(bosh.send(http.MethodDelete, fmt.Sprintf("/task/%d", id), "").status).To(Equal(http.StatusNoContent))
			Expect(states(id)).To(Equal([]string{"cancelling"}))
			clock.Advance(10 * time.Second)
			Expect(states(id)).To(Equal([]string{"cancelled"}))
			Expect(*bosh.task(id).Result).To(Equal("task cancelled"))
			Expect(bosh.events(id)).To(HaveSuffix(fmt.Sprintf(`"error":{"code":10001,"message":"Task %d cancelled"}}`+"\n", id)))
			Expect(bosh.get("/deployments/a").body).To(Equal(`{"manifest":null}`))
			Expect(bosh.get("/locks").body).To(Equal("[]"))
		})

		It("never start, if they were queued", func() {
			run(devdirector.Options{Workers: 1, TaskDuration: time.Minute})
			bosh.deploy(manifestOf("a", 1))
			id := bosh.deploy(manifestOf("b", 1))
			Expect(bosh.send(http.MethodPost, "/tasks/cancel", `{"deployment":"b"}`, "Content-Type", "application/json").status).To(Equal(http.StatusNoContent))
			Expect(states(id)).To(Equal([]string{"cancelling"}))
			clock.Advance(time.Minute)
			Expect(states(id)).To(Equal([]string{"cancelled"}))
			Expect(bosh.task(id).StartedAt).To(BeNil())
		})

		It("interrupt a running errand", func() {
			run(devdirector.Options{Errands: map[string]devdirector.Errand{"smoke": {Duration: time.Hour, Stdout: "so far"}}})
			bosh.deploy(manifestOf("a", 1))
			id := bosh.runErrand("a", "smoke")
			clock.Advance(time.Minute)
			Expect(states(id)).To(Equal([]string{"processing"}))
			Expect(bosh.send(http.MethodDelete, fmt.Sprintf("/task/%d", id), "").status).To(Equal(http.StatusNoContent))
			Expect(states(id)).To(Equal([]string{"cancelled"}))
			Expect(bosh.get(fmt.Sprintf("/tasks/%d/output?type=result", id)).body).To(ContainSubstring(`"exit_code":143,"stdout":"so far"`))
		})
	})

	It("turn into a timeout when their worker dies, and keep the lock a while", func() {
		run(devdirector.Options{})
		d.AddOutcome(devdirector.Outcome{Deployment: "a", WorkerDies: true})
		id := bosh.deploy(manifestOf("a", 1))
		clock.Advance(3*time.Minute - time.Second)
		Expect(states(id)).To(Equal([]string{"processing"}))
		clock.Advance(time.Second)
		Expect(states(id)).To(Equal([]string{"timeout"}))
		Expect(bosh.task(id).Result).To(BeNil())
		Expect(bosh.get("/locks").body).NotTo(Equal("[]"))
		clock.Advance(time.Minute)
		Expect(bosh.get("/locks").body).To(Equal("[]"))
	})

	It("fail as scripted, and only those", func() {
		run(devdirector.Options{})
		d.AddOutcome(devdirector.Outcome{Deployment: "a", Kind: devdirector.KindDeploy, Error: &devdirector.TaskError{Code: 450001, Message: "pre-start failed"}})
		other, failing, again := bosh.deploy(manifestOf("b", 1)), bosh.deploy(manifestOf("a", 1)), bosh.deploy(manifestOf("a", 1))
		Expect(states(other, failing, again)).To(Equal([]string{"done", "error", "done"}))
		Expect(*bosh.task(failing).Result).To(Equal("pre-start failed"))
		Expect(bosh.events(failing)).To(ContainSubstring(`"state":"failed","progress":100,"data":{"error":"pre-start failed"}`))
	})

	It("fail at once when the manifest is wrong, and late when an instance is", func() {
		run(devdirector.Options{TaskDuration: time.Minute})
		Expect(states(bosh.deploy("name: a"))).To(Equal([]string{"error"}))
		d.AddOutcome(devdirector.Outcome{Error: &devdirector.TaskError{Code: 450001, Message: "pre-start failed"}})
		id := bosh.deploy(manifestOf("b", 1))
		clock.Advance(45 * time.Second)
		Expect(states(id)).To(Equal([]string{"processing"}))
		clock.Advance(15 * time.Second)
		Expect(states(id)).To(Equal([]string{"error"}))
	})

	It("leave the instances of a create that failed, and no manifest", func() {
		run(devdirector.Options{})
		d.AddOutcome(devdirector.Outcome{Error: &devdirector.TaskError{Code: 450001, Message: "pre-start failed"}})
		bosh.deploy(manifestOf("a", 1))
		Expect(bosh.get("/deployments/a").body).To(Equal(`{"manifest":null}`))
		Expect(strings.Count(bosh.get("/deployments/a/vms").body, `"cid"`)).To(Equal(1))
		Expect(bosh.task(bosh.send(http.MethodDelete, "/deployments/a", "").task()).State).To(Equal("done"))
	})

	It("are forgotten, the oldest first, when there are too many of their kind", func() {
		run(devdirector.Options{MaxTasks: 2})
		first := bosh.deploy(manifestOf("a", 1))
		bosh.get("/deployments/a/vms?format=full")
		bosh.deploy(manifestOf("a", 1))
		bosh.deploy(manifestOf("a", 1))
		Expect(bosh.get(fmt.Sprintf("/tasks/%d", first)).status).To(Equal(http.StatusNotFound))
		Expect(strings.Count(bosh.get("/tasks?verbose=2&deployment=a").body, `"id":`)).To(Equal(3))
	})

	It("stay queued a while, if told so", func() {
		run(devdirector.Options{QueueDelay: time.Second})
		id := bosh.deploy(manifestOf("a", 1))
		Expect(states(id)).To(Equal([]string{"queued"}))
		clock.Advance(time.Second)
		Expect(states(id)).To(Equal([]string{"done"}))
	})
})
