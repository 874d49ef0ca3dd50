package osbcheck

import "context"

const adapterInside = "who gets the context is inside"

// profileChecks is section K: context objects, and who asks.
func profileChecks() []Check {
	return []Check{
		outside(Check{Row: "K1", Level: Must, Title: "platform in context and identity", Holds: "the same in both", Elsewhere: "it is the platform's duty", Test: `cmd/odb/whoasks_test.go "may be of another platform than the context, which is in the log"`}),
		inside("K2", Must, there, "Cloud Foundry's context of an instance", "it is taken, names and annotations too", requestTaken),
		inside("K3", Must, there, "Cloud Foundry's context of a binding", "it is taken", func(ctx context.Context, s *session) error { return s.bindAndUnbind(ctx) }),
		inside("K4", Must, second, "Kubernetes' context of an instance", "it is taken, without organization and space in it", kubernetesInstance),
		inside("K5", Must, there, "Kubernetes' context of a binding", "it is taken", func(ctx context.Context, s *session) error {
			return s.bindAndUnbind(ctx, with(object{"context": s.kubernetes()}))
		}),
		outside(Check{Row: "K6", Level: Practice, Title: "names and annotations change", Holds: "the newest are known to the next operation", Elsewhere: adapterInside, Test: `cmd/odb/repeat_test.go "is done at once, deploys nothing, and is known to the next deploy"`}),
		inside("K7", Must, there, "who asks, as each platform says it", "it is taken with every operation", whoAsks),
		outside(Check{Row: "K8", Level: Optional, Title: "a deletion has no context", Holds: "what is needed is kept", Elsewhere: adapterInside, Test: `cmd/odb/remembered_test.go "is written, kept up to date, never given to an adapter, and goes with the instance"`}),
	}
}

// requestTaken is about the request for the shared instance, which has such a context.
func requestTaken(_ context.Context, s *session) error {
	if e := s.creation.answer; e.Status >= 300 {
		return wrong(e, "answered %d", e.Status)
	}
	return nil
}

func kubernetesInstance(ctx context.Context, s *session) error {
	life, err := s.briefly(ctx)
	if err == nil && life.creation.answer.Status >= 300 {
		return wrong(life.creation.answer, "answered %d", life.creation.answer.Status)
	}
	return err
}

func whoAsks(ctx context.Context, s *session) error {
	for _, value := range []string{
		identity("cloudfoundry", `{"user_id":"683ea748-3092-4ff4-b656-39cacc4d5360"}`),
		identity("kubernetes", `{"username":"duke","uid":"c2dde242","groups":["admin"],"extra":{"a":["b"]}}`),
	} {
		if err := s.bindAndUnbind(ctx, func(r request) request { return r.saying(identityName, value) }); err != nil {
			return err
		}
	}
	return nil
}
