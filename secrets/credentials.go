package secrets

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"code.cloudfoundry.org/credhub-cli/credhub"
	"code.cloudfoundry.org/credhub-cli/credhub/credentials"
)

// Credential is one version of a credential. Printed or logged, it doesn't show its value.
type Credential struct {
	ID    string          `json:"id"`    // of this version
	Name  string          `json:"name"`  // absolute
	Type  string          `json:"type"`  // value, json, password, certificate …
	Value json.RawMessage `json:"value"` // a JSON string of the types value and password; most often an object of the others
}

// Format implements fmt.Formatter.
func (c Credential) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "credential %s (%s, version %s)", c.Name, c.Type, c.ID)
}

// LogValue implements slog.LogValuer.
func (c Credential) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// Set stores a value as the latest version of the credential: a JSON string as the type value, any other JSON as the type
// json. CredHub documents objects for it; what it does not take, it refuses (Rejected). It refuses, too, to change a
// credential's type. ErrNoValue if there is nothing to store.
func (c *Client) Set(ctx context.Context, name string, value json.RawMessage) error {
	if err := checkName(name); err != nil {
		return err
	}
	kind, err := typeOf(value)
	if err != nil {
		return fmt.Errorf("set credential %s: %w", name, err)
	}
	err = c.askVersioned(ctx, "set credential "+name, func(library *credhub.CredHub) error {
		_, err := library.SetCredential(name, kind, value)
		return err
	})
	return withoutValue(err, value)
}

func typeOf(value json.RawMessage) (string, error) {
	value = bytes.TrimSpace(value)
	switch {
	case !json.Valid(value) || bytes.Equal(value, []byte("null")):
		return "", ErrNoValue
	case value[0] == '"':
		return "value", nil
	}
	return "json", nil
}

// withoutValue makes sure that CredHub's text doesn't repeat what was to be stored.
func withoutValue(err error, value json.RawMessage) error {
	var rejected *Rejected
	if errors.As(err, &rejected) && repeats(rejected.Description, value) {
		return &Rejected{Op: rejected.Op, Status: rejected.Status, absent: rejected.absent,
			Description: "(CredHub's text is withheld, it repeats the value)"}
	}
	var away *Unavailable
	if errors.As(err, &away) && away.Cause != nil && repeats(away.Cause.Error(), value) {
		return &Unavailable{Op: away.Op, Status: away.Status, Cause: errors.New("(the text is withheld, it repeats the value)")}
	}
	return err
}

// repeats looks for the value's strings and numbers of more than three characters: shorter ones are in any text.
func repeats(text string, value json.RawMessage) bool {
	const shortest = 4
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err != nil {
			return false
		}
		var leaf string
		switch t := token.(type) {
		case string:
			leaf = t
		case json.Number:
			leaf = t.String()
		}
		if len(leaf) >= shortest && strings.Contains(text, leaf) {
			return true
		}
	}
}

// Latest gets the latest version of a credential; ErrNotFound if there is none.
func (c *Client) Latest(ctx context.Context, name string) (Credential, error) {
	if err := checkName(name); err != nil {
		return Credential{}, err
	}
	op := "get credential " + name
	var answer struct {
		Data []Credential `json:"data"`
	}
	if err := c.get(ctx, op, dataPath, url.Values{"name": {name}, "current": {"true"}}, &answer); err != nil {
		return Credential{}, err
	}
	if len(answer.Data) == 0 || len(answer.Data[0].Value) == 0 {
		return Credential{}, &Unavailable{Op: op, Status: http.StatusOK, Cause: errors.New("the answer holds no credential")}
	}
	return answer.Data[0], nil
}

// ByID gets one version of a credential; ErrNotFound if there is no such version.
func (c *Client) ByID(ctx context.Context, id string) (Credential, error) {
	if id == "" || id == "." || id == ".." || strings.ContainsAny(id, "/?#") {
		return Credential{}, fmt.Errorf("%q can't be the id of a credential", id)
	}
	op := "get credential version " + id
	var answer Credential
	if err := c.get(ctx, op, dataPath+"/"+id, nil, &answer); err != nil {
		return Credential{}, err
	}
	if len(answer.Value) == 0 {
		return Credential{}, &Unavailable{Op: op, Status: http.StatusOK, Cause: errors.New("the answer holds no credential")}
	}
	return answer, nil
}

const dataPath = "/api/v1/data"

func (c *Client) get(ctx context.Context, op, path string, query url.Values, into any) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return (&exchange{client: c, ctx: ctx, op: op}).read(path, query, into)
}

// Delete removes a credential with all its versions; ErrNotFound if there is none.
func (c *Client) Delete(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return c.ask(ctx, "delete credential "+name, func(library *credhub.CredHub) error { return library.Delete(name) })
}

// deleteIfThere is Delete for those to whom absent is fine.
func (c *Client) deleteIfThere(ctx context.Context, name string) error {
	if err := c.Delete(ctx, name); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

// Below lists the names of the credentials below a path, the newest first. /a/b has /a/b/c and /a/b/c/d below it, but
// neither /a/b itself nor /a/bc.
func (c *Client) Below(ctx context.Context, path string) ([]string, error) {
	kept, err := c.keptBelow(ctx, path)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(kept))
	for i, each := range kept {
		names[i] = each.Name
	}
	return names, nil
}

// Kept is a credential that is there, without its value.
type Kept struct {
	Name      string
	WrittenAt time.Time // of its latest version; zero if CredHub's words for it can't be read
}

func (c *Client) keptBelow(ctx context.Context, path string) ([]Kept, error) {
	if err := checkName(path); err != nil {
		return nil, err
	}
	var found credentials.FindResults
	err := c.ask(ctx, "find credentials below "+path, func(library *credhub.CredHub) (err error) {
		found, err = library.FindByPath(path)
		return err
	})
	if err != nil {
		return nil, err
	}
	var below []Kept
	for _, each := range found.Credentials {
		// CredHub looks for the path as a pattern in which _ stands for any character, and knows no upper case. What is
		// below is decided here, on whole segments.
		if strings.HasPrefix(each.Name, path+"/") {
			at, _ := time.Parse(time.RFC3339, each.VersionCreatedAt) // zero if it can't be read
			below = append(below, Kept{each.Name, at})
		}
	}
	slices.SortStableFunc(below, func(a, b Kept) int { return b.WrittenAt.Compare(a.WrittenAt) })
	return below, nil
}

// DeleteBelow deletes every credential below a path (see Below) of two segments or more. What is gone already is fine;
// after a failure the rest is tried all the same.
func (c *Client) DeleteBelow(ctx context.Context, path string) error {
	if strings.Count(path, "/") < 2 {
		return fmt.Errorf("%q is too short a path to delete everything below it", path)
	}
	names, err := c.Below(ctx, path)
	if err != nil {
		return err
	}
	errs := make([]error, len(names))
	sideBySide(len(names), func(i int) { errs[i] = c.deleteIfThere(ctx, names[i]) })
	return errors.Join(errs...)
}

// checkName refuses what CredHub would read as another name or as many.
func checkName(name string) error {
	if !strings.HasPrefix(name, "/") || strings.HasSuffix(name, "/") || strings.Contains(name, "//") {
		return fmt.Errorf("%q can't be the name of a credential: it must be /SEGMENT/…/SEGMENT", name)
	}
	return nil
}

// decodeJSON keeps the digits of numbers.
func decodeJSON(text json.RawMessage) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err = decoder.Decode(&value)
	return value, err
}
