package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
)

// Request is what the edge knows of the request that a verb serves.
type Request struct {
	// ID names the request in the log and in what a user is told of a failure.
	ID string
	// Originator is who asked the platform; zero if that isn't known.
	Originator Originator
	// Body is what the platform sent, whatever is known of it; nil if there is none, or it isn't OSB's.
	Body json.RawMessage
}

type requestKey struct{}

// WithRequest returns a context that carries the request.
func WithRequest(ctx context.Context, request Request) context.Context {
	return context.WithValue(ctx, requestKey{}, request)
}

// RequestFrom returns the request that ctx carries.
func RequestFrom(ctx context.Context) Request {
	request, _ := ctx.Value(requestKey{}).(Request)
	return request
}

// requestParameters is the body of an OSB request as adapters get it (adapter protocol: request parameters): what is known of it
// as it always was, then what else the platform sent, and its parameters always there, an empty object if the user gave none.
func requestParameters(ctx context.Context, details any, parameters json.RawMessage) (json.RawMessage, error) {
	encoded, err := json.Marshal(details)
	if err != nil {
		return nil, fmt.Errorf("encoding the request for the adapter: %w", err)
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal(withRest(encoded, RequestFrom(ctx).Body), &body); err != nil {
		return nil, fmt.Errorf("encoding the request for the adapter: %w", err)
	}
	body["parameters"] = parameters
	return json.Marshal(body)
}

// withRest is an object with those members of another one that it lacks, at every level: brokerapi doesn't know all members of
// the specification (bind_resource.app_annotations, say), nor a platform's own.
func withRest(known, sent json.RawMessage) json.RawMessage {
	var into, from map[string]json.RawMessage
	if json.Unmarshal(known, &into) != nil || json.Unmarshal(sent, &from) != nil || into == nil {
		return known
	}
	for name, value := range from {
		switch there, ok := into[name]; {
		case name == "context" || name == "parameters": // travel as they are
		case ok:
			into[name] = withRest(there, value)
		default:
			into[name] = value
		}
	}
	whole, err := json.Marshal(into)
	if err != nil {
		return known
	}
	return whole
}

// noParameters is what adapters get where the user gave none.
var noParameters = json.RawMessage(`{}`)

// objectOf returns raw if it is a JSON object and an empty object if it is absent or null.
func objectOf(raw json.RawMessage) (json.RawMessage, *Error) {
	trimmed := bytes.TrimSpace(raw)
	switch {
	case len(trimmed) == 0 || bytes.Equal(trimmed, []byte("null")):
		return noParameters, nil
	case trimmed[0] != '{':
		return nil, refuse(BadRequest, "parameters must be a JSON object")
	case !json.Valid(trimmed):
		return nil, refuse(BadRequest, "parameters are not valid JSON")
	}
	return trimmed, nil
}

func isEmptyObject(raw json.RawMessage) bool {
	var members map[string]json.RawMessage
	return json.Unmarshal(raw, &members) == nil && len(members) == 0
}
