package boshclient_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/on-demand-broker/odb/boshclient"
)

type call func(context.Context, *boshclient.Client) (any, error)

var createdAt = time.Unix(1795425083, 0).UTC()

var _ = Describe("Requests as a Director was seen to understand them", func() {
	DescribeTable("is sent and answered as recorded",
		func(ctx SpecContext, names []string, ask call, want types.GomegaMatcher) {
			director := newStandIn(playing(names...))
			got, err := ask(ctx, director.client())
			Expect(err).NotTo(HaveOccurred())
			Expect(got).To(want)
			Expect(director.seen()).To(HaveLen(len(names)))
			for i, name := range names {
				r, s := load(name), director.seen()[i]
				Expect(wire(s.method, s.path, s.query, s.header, s.body)).To(Equal(wire(r.method, r.path, r.query, r.header, r.body)), name)
				Expect(s.header.Get("Authorization")).To(Equal("Basic YWRtaW46cGEkJHdvcmQ="))
				Expect(s.header.Get("User-Agent")).To(Equal("odb"))
			}
		},
		Entry("Info", []string{"002"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) { return c.Info(ctx) }),
			Equal(boshclient.Info{
				Name: "real-director", UUID: "bc4ec16f-b2a9-477d-b22f-89370da4d5d8", Version: "282.1.17 (e374eb2b)",
				User: "admin", Authentication: "basic",
			})),
		Entry("Deploy, answered 302", []string{"010"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) {
			return c.Deploy(ctx, boshclient.Deploy{Manifest: load("010").body, ContextID: "ctx-create-1"})
		}), Equal(3)),
		Entry("Deploy, answered 303", []string{"800"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) {
			return c.Deploy(ctx, boshclient.Deploy{Manifest: load("800").body})
		}), Equal(84)),
		Entry("DeleteDeployment", []string{"510"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) {
			return c.DeleteDeployment(ctx, boshclient.DeleteDeployment{Name: "si-twin", ContextID: "ctx-del"})
		}), BeNumerically(">", 0)),
		Entry("DeleteDeployment with force", []string{"531"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) {
			return c.DeleteDeployment(ctx, boshclient.DeleteDeployment{Name: "si-dead", Force: true})
		}), BeNumerically(">", 0)),
		Entry("RunErrand", []string{"075"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) {
			return c.RunErrand(ctx, boshclient.RunErrand{Deployment: "si-a", Errand: "smoke", Instances: []string{"server/first"}})
		}), Equal(7)),
		Entry("Task", []string{"020"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) { return c.Task(ctx, 3) }),
			Equal(boshclient.Task{
				ID: 3, State: boshclient.StateDone, Description: "create deployment", Result: "/deployments/si-a", User: "admin",
				Deployment: "si-a", ContextID: "ctx-create-1", StartedAt: createdAt, UpdatedAt: createdAt.Add(22 * time.Second),
			})),
		Entry("TaskResult", []string{"087"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) { return c.TaskResult(ctx, 11) }),
			WithTransform(func(b []byte) string { return string(b) }, And(ContainSubstring(`"exit_code":3`), HaveSuffix("}\n")))),
		Entry("CancelTask", []string{"221"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) {
			return nil, c.CancelTask(ctx, 37)
		}), BeNil()),
		Entry("CreateEvent", []string{"348"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) {
			return nil, c.CreateEvent(ctx, boshclient.NewEvent{
				Action: "bind", ObjectType: "service-instance", ObjectName: "si-a", Deployment: "si-a", Context: map[string]any{"k": "v"},
			})
		}), BeNil()),
		Entry("Deployment", []string{"052"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) {
			return c.Deployment(ctx, "si-a")
		}), Satisfy(func(d boshclient.Deployment) bool {
			return d == boshclient.Deployment{Name: "si-a", Manifest: load("010").body}
		})),
		Entry("Deployments", []string{"051"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) { return c.Deployments(ctx) }),
			Equal([]boshclient.DeploymentSummary{{Name: "si-a", Teams: []string{}}})),
		Entry("Instances", []string{"058"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) {
			return c.Instances(ctx, "si-a")
		}), Equal([]boshclient.Instance{{
			Group: "server", ID: "62b7f7eb-f56a-4c75-b029-98697fde4695", Index: 0, AZ: "z1", IPs: []string{"10.244.0.2"},
		}})),
		Entry("Variables", []string{"062"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) {
			return c.Variables(ctx, "si-a")
		}), Equal([]boshclient.Variable{{ID: "0", Name: "/real-director/si-a/admin-pw"}})),
		Entry("Configs", []string{"306"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) {
			return c.Configs(ctx, boshclient.ConfigFilter{Type: "cloud", Name: "si-a"})
		}), Equal([]boshclient.Config{config4})),
		Entry("Configs with history", []string{"307"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) {
			return c.Configs(ctx, boshclient.ConfigFilter{Type: "cloud", Name: "si-a", History: true})
		}), And(HaveLen(3), ContainElement(config4))),
		Entry("CreateConfig", []string{"304"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) {
			return c.CreateConfig(ctx, boshclient.CreateConfig{
				Type: "cloud", Name: "si-a", Content: config4.Content, ExpectedLatestID: new("3"),
			})
		}), Equal(config4)),
		Entry("DeleteConfig", []string{"323"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) {
			return nil, c.DeleteConfig(ctx, "cloud", "si-a")
		}), BeNil()),
		Entry("Diff", []string{"390"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) {
			return c.Diff(ctx, "si-a", load("390").body)
		}), WithTransform(func(d boshclient.Diff) []boshclient.DiffLine { return d.Lines[:4] }, Equal([]boshclient.DiffLine{
			{Text: "instance_groups:"}, {Text: "- name: server"},
			{Text: "  vm_type: small", Change: "removed"}, {Text: "  vm_type: large", Change: "added"},
		}))),
		Entry("TaskEvents", []string{"017"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) {
			events, next, err := c.TaskEvents(ctx, 3, 0)
			Expect(next).To(BeEquivalentTo(1080))
			Expect(events).To(HaveLen(7))
			return events[6], err
		}), Equal(boshclient.TaskEvent{
			Time: createdAt.Add(time.Second), Stage: "Compiling packages", Tags: []string{}, Total: 1, Index: 1, State: "started",
			Task: "tool/12f9796e7a522d3ad7c917af935ed870a4603d6d1d52982e87e5e1cc87ec1beb",
		})),
		Entry("TaskEvents, nothing new", []string{"018"}, call(func(ctx context.Context, c *boshclient.Client) (any, error) {
			events, next, err := c.TaskEvents(ctx, 3, 99999999)
			return []any{len(events), next}, err
		}), Equal([]any{0, int64(99999999)})),
	)

	DescribeTable("is sent with what recordings of other clients lack",
		func(ctx SpecContext, name, want string, ask call) {
			director := newStandIn(load(name).play)
			_, err := ask(ctx, director.client())
			Expect(err).NotTo(HaveOccurred())
			s := director.seen()[0]
			Expect(fmt.Sprintf("%s %s %s %s", s, s.query, s.header.Get("X-Bosh-Context-Id"), s.body)).To(Equal(want))
		},
		Entry("Recreate", "474", "PUT /deployments/si-a/jobs/* map[fix:[true] state:[recreate]] ctx ",
			call(func(ctx context.Context, c *boshclient.Client) (any, error) {
				return c.Recreate(ctx, boshclient.Recreate{Name: "si-a", ContextID: "ctx"})
			})),
		Entry("RunErrand everywhere", "075", `POST /deployments/si-a/errands/smoke/runs map[] ctx {"keep-alive":false,"when-changed":false}`,
			call(func(ctx context.Context, c *boshclient.Client) (any, error) {
				return c.RunErrand(ctx, boshclient.RunErrand{Deployment: "si-a", Errand: "smoke", ContextID: "ctx"})
			})),
		Entry("RunErrand on groups", "075", `POST /deployments/si-a/errands/smoke/runs map[]  {"keep-alive":false,"when-changed":false,"instances":[{"group":"a"},{"group":"b","id":"0"}]}`,
			call(func(ctx context.Context, c *boshclient.Client) (any, error) {
				return c.RunErrand(ctx, boshclient.RunErrand{Deployment: "si-a", Errand: "smoke", Instances: []string{"a", "b/0"}})
			})),
		Entry("TasksInProgress", "013", "GET /tasks map[deployment:[si-a] state:[queued,processing,cancelling] verbose:[1]]  ",
			call(func(ctx context.Context, c *boshclient.Client) (any, error) {
				tasks, err := c.TasksInProgress(ctx, "si-a")
				Expect(tasks).To(HaveLen(1))
				Expect(tasks[0].UpdatedAt).To(BeZero())
				Expect(tasks[0].Ended()).To(BeFalse())
				return nil, err
			})),
		Entry("TasksByContext", "034", "GET /tasks map[context_id:[ctx-create-1] deployment:[si-a] verbose:[1]]  ",
			call(func(ctx context.Context, c *boshclient.Client) (any, error) {
				tasks, err := c.TasksByContext(ctx, "si-a", "ctx-create-1")
				Expect(tasks).To(HaveLen(1))
				Expect(tasks[0].ID).To(Equal(3))
				return nil, err
			})),
		Entry("LatestTask", "034", "GET /tasks map[deployment:[si-a] limit:[1] verbose:[1]]  ",
			call(func(ctx context.Context, c *boshclient.Client) (any, error) {
				latest, found, err := c.LatestTask(ctx, "si-a")
				Expect(found).To(BeTrue())
				Expect(latest.ID).To(Equal(3))
				return nil, err
			})),
		Entry("a name with reserved characters", "052", "GET /deployments/a%2Fb%3Fc%20d%23 map[]  ",
			call(func(ctx context.Context, c *boshclient.Client) (any, error) { return c.Deployment(ctx, "a/b?c d#") })),
	)

	It("reads a deployment that is being created", func(ctx SpecContext) {
		director := newStandIn(load("015").play)
		Expect(director.client().Deployment(ctx, "si-a")).To(Equal(boshclient.Deployment{Name: "si-a", BeingCreated: true}))
	})

	It("reads Info whose credentials the Director doesn't know", func(ctx SpecContext) {
		director := newStandIn(load("003").play)
		info, err := director.client().Info(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(info.User).To(BeEmpty())
		Expect(info.Name).To(Equal("real-director"))
	})

	It("gives a failed task's whole error from its events", func(ctx SpecContext) {
		director := newStandIn(load("136-fail-render-event").play)
		events, _, err := director.client().TaskEvents(ctx, 25, 0)
		Expect(err).NotTo(HaveOccurred())
		last := events[len(events)-1]
		Expect(last.Error).NotTo(BeNil())
		Expect(last.Error.Code).To(Equal(100))
		Expect(last.Error.Message).To(HaveSuffix("(line 4: boom in template)"))
		Expect(events[len(events)-2].State).To(Equal("failed"))
	})

	It("sends nothing for what can't be a request", func(ctx SpecContext) {
		director := newStandIn(answering(200, "[]"))
		c := director.client()
		for _, name := range []string{"", ".", ".."} {
			_, err := c.DeleteDeployment(ctx, boshclient.DeleteDeployment{Name: name})
			Expect(err).To(MatchError(ContainSubstring("can't be the name of a deployment")))
			_, err = c.Deployment(ctx, name)
			Expect(err).To(HaveOccurred())
			_, err = c.RunErrand(ctx, boshclient.RunErrand{Deployment: "si-a", Errand: name})
			Expect(err).To(MatchError(ContainSubstring("errand")))
		}
		for _, slug := range []string{"", "/0", "group/", "group/a/b"} {
			_, err := c.RunErrand(ctx, boshclient.RunErrand{Deployment: "si-a", Errand: "smoke", Instances: []string{slug}})
			Expect(err).To(MatchError(ContainSubstring("GROUP or GROUP/ID")))
		}
		_, err := c.Task(ctx, 0)
		Expect(err).To(MatchError(ContainSubstring("can't be the id")))
		_, err = c.TasksInProgress(ctx, "")
		Expect(err).To(MatchError(ContainSubstring("which deployment")))
		_, _, err = c.LatestTask(ctx, "")
		Expect(err).To(MatchError(ContainSubstring("which deployment")))
		_, err = c.TasksByContext(ctx, "si-a", "")
		Expect(err).To(MatchError(ContainSubstring("which context")))
		_, _, err = c.TaskEvents(ctx, 1, -1)
		Expect(err).To(MatchError(ContainSubstring("offset")))
		_, err = c.Deploy(ctx, boshclient.Deploy{Manifest: "name: a", ContextID: strings.Repeat("x", 65)})
		Expect(err).To(MatchError(ContainSubstring("65 characters")))
		Expect(director.asked()).To(BeEmpty())
	})
})

var config4 = boshclient.Config{
	ID: "4", Type: "cloud", Name: "si-a", Content: "vm_extensions:\n- name: x1\n  cloud_properties: {a: 3}\n",
	CreatedAt: "2026-11-23 09:14:54 UTC", Current: true,
}
