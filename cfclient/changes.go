package cfclient

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// UpgradeStarted is what came of asking for an upgrade: it was not needed, or a job carries it.
type UpgradeStarted struct {
	AlreadyCurrent bool // nothing was sent to the broker
	Job            string
}

// Upgrade asks Cloud Foundry to bring an instance to a version of its plan's maintenance_info. Beyond the usual errors there
// are ErrBusy and ErrNotFound; a version that isn't the plan's is refused.
func (c *Client) Upgrade(ctx context.Context, guid, version string) (UpgradeStarted, error) {
	// The library's update of an instance says "tags": null beside it.
	answer, err := c.changeInstance(ctx, http.MethodPatch, guid, "", map[string]any{
		"maintenance_info": map[string]string{"version": version},
	})
	if err != nil {
		return UpgradeStarted{}, err
	}
	job := jobOf(answer)
	if job == "" && answer.StatusCode == http.StatusAccepted {
		return UpgradeStarted{}, &Unavailable{
			Op: op(answer.Request), Status: answer.StatusCode, sent: true, retryAfter: retryAfterUnknown,
			Cause: fmt.Errorf("%w: it was accepted without a job", errForeignAnswer),
		}
	}
	return UpgradeStarted{AlreadyCurrent: job == "", Job: job}, nil
}

// DeleteInstance asks for the deletion of an instance, through its broker, and returns the job that carries it. Cloud Foundry
// unbinds what is bound, but goes no further while the instance is shared. Beyond the usual errors there is ErrNotFound.
func (c *Client) DeleteInstance(ctx context.Context, guid string) (job string, err error) {
	answer, err := c.changeInstance(ctx, http.MethodDelete, guid, "", nil)
	if err != nil {
		return "", err
	}
	return jobOf(answer), nil
}

// PurgeInstance makes Cloud Foundry forget an instance with its bindings. The broker isn't told. Beyond the usual errors there
// is ErrNotFound.
func (c *Client) PurgeInstance(ctx context.Context, guid string) error {
	_, err := c.changeInstance(ctx, http.MethodDelete, guid, "?purge=true", nil)
	return err
}

// changeInstance sends a change that the library has no right form for, through the library's session.
func (c *Client) changeInstance(ctx context.Context, method, guid, query string, body any) (*http.Response, error) {
	at, err := segment("service instance", guid)
	if err != nil {
		return nil, err
	}
	text := ""
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("%s of service instance %s: %w", method, guid, err)
		}
		text = string(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.api.ApiURL(instancesPath+"/"+at)+query, strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%s of service instance %s: %w", method, guid, err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.api.ExecuteAuthRequest(request)
	return answer, fact(err) // its body is in memory: nothing to close
}
