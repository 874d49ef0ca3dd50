package adapterclient

import (
	"encoding/json"
	"errors"
	"fmt"
)

// parseOutput reads a successful run's stdout. The decoder's own error texts are not passed on, since they may quote a part
// of what might be a credential.
func parseOutput(verb string, output []byte, into any) error {
	err := json.Unmarshal(output, into)
	if err == nil {
		return nil
	}
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) && wrongType.Field != "" {
		what := fmt.Sprintf("the JSON has another type at %q than the protocol says", wrongType.Field)
		return &OutputError{Verb: verb, What: what}
	}
	if wrongType != nil {
		return &OutputError{Verb: verb, What: "the JSON is not an object"}
	}
	if len(output) == 0 {
		return &OutputError{Verb: verb, What: "nothing was printed on stdout where a JSON object is due"}
	}
	return &OutputError{Verb: verb, What: fmt.Sprintf("%d bytes on stdout are not one JSON object", len(output))}
}
