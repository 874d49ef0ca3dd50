package osbcheck

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"regexp"
)

// aptStatuses looks for answers that no request of a run deserves.
func aptStatuses(_ context.Context, s *session) error {
	for _, e := range s.log {
		if e.Status >= 500 || (e.Status >= 300 && e.Status < 400 && e.Status != http.StatusNotModified) {
			return wrong(e, "answered %d", e.Status)
		}
	}
	return nil
}

var camelCase = regexp.MustCompile(`^[A-Z][A-Za-z]*$`)

func errorBodies(_ context.Context, s *session) error {
	for _, e := range s.log {
		if e.Status < 400 || len(e.text) == 0 {
			continue
		}
		if e.object == nil {
			return wrong(e, "the body of the error is no JSON object")
		}
		if code, given := e.object["error"]; given {
			if text, ok := code.(string); !ok || !camelCase.MatchString(text) {
				return wrong(e, "error is %v, not one CamelCase word", code)
			}
		}
		if description, given := e.object["description"]; given {
			if text, ok := description.(string); !ok || text == "" {
				return wrong(e, "description is %v, not a text", description)
			}
		}
	}
	return nil
}

func contentTypes(_ context.Context, s *session) error {
	for _, e := range s.log {
		if len(e.text) == 0 {
			continue
		}
		if media, _, err := mime.ParseMediaType(e.header.Get("Content-Type")); err != nil || media != "application/json" {
			return wrong(e, "the Content-Type is %q", e.header.Get("Content-Type"))
		}
		if !json.Valid(e.text) {
			return wrong(e, "the body is not JSON")
		}
	}
	return nil
}

// usableFlags are told of updates and deletions that fail, and by the polls of these.
func usableFlags(_ context.Context, s *session) error {
	for _, e := range s.log {
		changes := e.sent.binding == "" && (e.sent.method == http.MethodPatch || e.sent.method == http.MethodGet)
		allowed := map[string]bool{
			"instance_usable":   changes || (e.sent.binding == "" && e.sent.method == http.MethodDelete),
			"update_repeatable": changes,
		}
		for flag, ok := range allowed {
			value, given := e.object[flag]
			if !given {
				continue
			}
			if _, boolean := value.(bool); !boolean || !ok {
				return wrong(e, "%s is %v here", flag, value)
			}
		}
	}
	return nil
}

// nothingMade asks for the deletion of all that was refused.
func nothingMade(ctx context.Context, s *session) error {
	if len(s.refused) == 0 {
		return skip("nothing that could have made an instance was refused")
	}
	for _, id := range s.refused {
		e, err := s.send(ctx, s.deprovision(id))
		switch {
		case err != nil:
			return err
		case e.Status < 300:
			s.made = append(s.made, id)
			return wrong(e, "there is something to delete")
		case e.Status != http.StatusGone:
			return wrong(e, "answered %d, not 410", e.Status)
		}
	}
	return nil
}
