package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/broker"
)

var supportedVersion = regexp.MustCompile(`^2\.\d+$`)

// versioned asks for an OSB version that this broker speaks: any 2.x (OSB 2.17, API Version Header).
func versioned(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if version := r.Header.Get("X-Broker-API-Version"); !supportedVersion.MatchString(version) {
			writeError(w, http.StatusPreconditionFailed, fmt.Sprintf("the header X-Broker-API-Version must be 2.x, like 2.17; it is %q", version))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Ids end up in deployment names, context ids and URLs: only what RFC 3986 calls unreserved is taken.
var idForm = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)

const maxBindingIDLength = 255

func checkID(what, id string, maxLength int) error {
	switch {
	case len(id) > maxLength:
		return fmt.Errorf("the %s has %d characters, at most %d are possible", what, len(id), maxLength)
	case !idForm.MatchString(id) || id == "." || id == "..":
		return fmt.Errorf("the %s may have letters, digits and .-_~ only", what)
	}
	return nil
}

// withIDs checks the ids in the path and puts them in one form, however they were encoded.
func withIDs(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, found := strings.CutPrefix(r.URL.EscapedPath(), "/v2/service_instances/")
		if !found {
			next.ServeHTTP(w, r)
			return
		}
		segments := strings.Split(rest, "/")
		for i, segment := range segments {
			decoded, err := url.PathUnescape(segment)
			if err == nil {
				switch {
				case i == 0:
					err = checkID("service instance id", decoded, broker.MaxInstanceIDLength)
				case i == 2 && segments[1] == "service_bindings":
					err = checkID("service binding id", decoded, maxBindingIDLength)
				}
			}
			if err != nil {
				writeError(w, http.StatusBadRequest, err.Error())
				return
			}
			segments[i] = decoded
		}
		r.URL.Path, r.URL.RawPath = "/v2/service_instances/"+strings.Join(segments, "/"), ""
		next.ServeHTTP(w, r)
	})
}

// withBody reads the whole body within a limit of size and time and refuses with 400 what isn't the JSON of the verb
// (brokerapi would answer 422). What comes behind finds the body in memory and as JSON, whatever the client called it.
func withBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := readBody(w, r)
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			writeError(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes", maxBodyBytes))
			return
		case err != nil:
			writeError(w, http.StatusBadRequest, "the body could not be read to its end")
			return
		}
		if details := detailsOf(r); details != nil {
			if err := decodeBody(body, details); err != nil {
				writeError(w, http.StatusBadRequest, err.Error())
				return
			}
			r.Header.Set("Content-Type", "application/json")
			asked := broker.RequestFrom(r.Context())
			asked.Body = body
			r = r.WithContext(broker.WithRequest(r.Context(), asked))
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength = int64(len(body))
		next.ServeHTTP(w, r)
	})
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength == 0 {
		return nil, nil
	}
	connection := http.NewResponseController(w)
	if err := connection.SetReadDeadline(time.Now().Add(readBodyTimeout)); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if err != nil {
		return nil, err
	}
	return body, connection.SetReadDeadline(time.Time{})
}

// detailsOf is what the body of a verb is decoded into; nil for verbs without one.
func detailsOf(r *http.Request) any {
	binding := strings.Contains(r.URL.Path, "/service_bindings/")
	switch {
	case r.Method == http.MethodPut && binding:
		return &domain.BindDetails{}
	case r.Method == http.MethodPut:
		return &domain.ProvisionDetails{}
	case r.Method == http.MethodPatch && !binding:
		return &domain.UpdateDetails{}
	default:
		return nil
	}
}

func decodeBody(body []byte, details any) error {
	err := json.Unmarshal(body, details)
	var wrongType *json.UnmarshalTypeError
	var malformed *json.SyntaxError
	switch {
	case err == nil:
		if trimmed := bytes.TrimSpace(body); trimmed[0] != '{' { // null decodes into anything
			return errors.New("the body must be a JSON object")
		}
		if nesting(body) > maxNesting {
			return fmt.Errorf("the body has objects or lists that are nested more than %d levels deep", maxNesting)
		}
		return nil
	case len(bytes.TrimSpace(body)) == 0:
		return errors.New("the body is empty: it must be a JSON object")
	case errors.As(err, &wrongType) && wrongType.Field == "":
		return errors.New("the body must be a JSON object")
	case errors.As(err, &wrongType):
		return fmt.Errorf("%s must be %s, not %s", wrongType.Field, jsonName(wrongType.Type.Kind().String()), wrongType.Value)
	case errors.As(err, &malformed):
		return fmt.Errorf("the body is not valid JSON: %s (at byte %d)", malformed, malformed.Offset)
	default:
		return errors.New("the body is not valid JSON")
	}
}

// jsonName is JSON's word for a Go kind.
func jsonName(kind string) string {
	switch kind {
	case "string":
		return "a string"
	case "bool":
		return "true or false"
	case "struct", "map":
		return "an object"
	case "slice", "array":
		return "a list"
	default:
		return "a number"
	}
}
