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
	// Traceparent is the W3C trace context that the adapter is started with; empty for none.
	Traceparent string
	// Originator is who asked the platform; zero if that isn't known.
	Originator Originator
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

// requestParameters is the body of an OSB request as adapters get it (adapter protocol: request parameters):
// re-encoded with its parameters always there, an empty object if the user gave none.
func requestParameters(details any, parameters json.RawMessage) (json.RawMessage, error) {
	encoded, err := json.Marshal(details)
	if err != nil {
		return nil, fmt.Errorf("encoding the request for the adapter: %w", err)
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal(encoded, &body); err != nil {
		return nil, fmt.Errorf("encoding the request for the adapter: %w", err)
	}
	body["parameters"] = parameters
	return json.Marshal(body)
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
