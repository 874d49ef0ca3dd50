package boshclient

import (
	"context"
	"net/http"
	"strings"
)

// Diff is what a deploy of a manifest would change, as the Director sees it.
type Diff struct {
	Lines []DiffLine // empty if nothing changes
}

// DiffLine is one line of YAML.
type DiffLine struct {
	Text   string // property values are "<redacted>"
	Change string // "added", "removed", or empty for a line that only gives the place
}

// Diff compares a manifest with what is deployed under the name. For an unknown deployment all is added, the cloud config
// included. Property values are redacted by the Director.
func (c *Client) Diff(ctx context.Context, name, manifest string) (Diff, error) {
	path, err := deploymentPath(name)
	if err != nil {
		return Diff{}, err
	}
	r := request{
		method: http.MethodPost, path: path + "/diff", contentType: yamlType, body: []byte(manifest),
		safe: true, // it changes nothing
	}
	var body struct {
		Lines [][2]*string `json:"diff"`
		Error string       `json:"error"`
	}
	if err := c.exchange(ctx, r, &body, http.StatusOK); err != nil {
		return Diff{}, err
	}
	if body.Error != "" {
		// The Director answers 200 with a Ruby backtrace after the first line.
		first, _, _ := strings.Cut(body.Error, "\n")
		return Diff{}, &Rejected{Op: r.op(), Status: http.StatusOK, Description: shorten(first)}
	}
	lines := make([]DiffLine, len(body.Lines))
	for i, line := range body.Lines {
		lines[i] = DiffLine{Text: text(line[0]), Change: text(line[1])}
	}
	return Diff{Lines: lines}, nil
}
