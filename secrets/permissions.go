package secrets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"code.cloudfoundry.org/credhub-cli/credhub"
)

// AppActor is how CredHub calls an app of Cloud Foundry, which shows its instance identity certificate.
func AppActor(appGUID string) string { return "mtls-app:" + appGUID }

// UAAClientActor is how CredHub calls a client of the UAA.
func UAAClientActor(clientID string) string { return "uaa-client:" + clientID }

const read = "read"

// AllowRead lets an actor read the credential. That it was allowed before is fine.
func (c *Client) AllowRead(ctx context.Context, name, actor string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if actor == "" {
		return errors.New("no actor to be given the permission")
	}
	err := c.askVersioned(ctx, fmt.Sprintf("let %s read %s", actor, name), func(library *credhub.CredHub) error {
		_, err := library.AddPermission(name, actor, []string{read})
		return err
	})
	var rejected *Rejected
	if errors.As(err, &rejected) && rejected.Status == http.StatusConflict && c.mayRead(ctx, name, actor) {
		return nil
	}
	return err
}

func (c *Client) mayRead(ctx context.Context, name, actor string) bool {
	allowed := false
	err := c.ask(ctx, "get permission on "+name, func(library *credhub.CredHub) error {
		permission, err := library.GetPermissionByPathActor(name, actor)
		allowed = err == nil && slices.Contains(permission.Operations, read)
		return err
	})
	return err == nil && allowed
}
