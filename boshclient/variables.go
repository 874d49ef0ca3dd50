package boshclient

import "context"

// Variable is a variable that the Director generated or found for a deployment.
type Variable struct {
	ID   string `json:"id"`   // in the config server
	Name string `json:"name"` // absolute: /DIRECTOR/DEPLOYMENT/NAME
}

// Variables lists a deployment's variables; ErrNotFound if there is no such deployment.
func (c *Client) Variables(ctx context.Context, deployment string) ([]Variable, error) {
	path, err := deploymentPath(deployment)
	if err != nil {
		return nil, err
	}
	var variables []Variable
	err = c.read(ctx, path+"/variables", nil, &variables)
	return variables, err
}
