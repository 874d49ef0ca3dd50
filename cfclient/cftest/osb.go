package cftest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"
)

// osbVersion is the version of OSB that the recorded Cloud Controller speaks.
const osbVersion = "2.15"

// What is asked of brokers; job errors use these words, too.
const (
	verbCatalog       = "catalog"
	verbProvision     = "provision"
	verbUpdate        = "update"
	verbDeprovision   = "deprovision"
	verbBind          = "bind"
	verbUnbind        = "unbind"
	verbFetchBinding  = "fetch binding"
	verbLastOperation = "last operation"
)

// caller is in whose name a broker is asked, and for which request.
type caller struct {
	user    identity
	request string
}

func callerOf(q *request) caller { return caller{user: q.user, request: q.id} }

// osbRequest is one request to a broker. All the zero caller's requests are Cloud Controller's own.
type osbRequest struct {
	verb, method string
	path         string
	query        url.Values
	body         any // nil: none
	caller       caller
}

// lastOperation asks how what this request began stands.
func (r osbRequest) lastOperation(operation string) osbRequest {
	query := url.Values{"service_id": r.query["service_id"], "plan_id": r.query["plan_id"]}
	if body, is := r.body.(map[string]any); is {
		query.Set("service_id", fmt.Sprint(body["service_id"]))
		query.Set("plan_id", fmt.Sprint(body["plan_id"]))
	}
	if operation != "" {
		query.Set("operation", operation)
	}
	return osbRequest{verb: verbLastOperation, method: http.MethodGet, path: r.path + "/last_operation", query: query, caller: r.caller}
}

// undone is the request that removes what this one, a provision or a bind, may have made.
func (r osbRequest) undone() osbRequest {
	body, _ := r.body.(map[string]any)
	verb := verbDeprovision
	if r.verb == verbBind {
		verb = verbUnbind
	}
	return osbRequest{verb: verb, method: http.MethodDelete, path: r.path, query: url.Values{
		"accepts_incomplete": {"true"}, "service_id": {fmt.Sprint(body["service_id"])}, "plan_id": {fmt.Sprint(body["plan_id"])},
	}}
}

// osbAnswer is what a broker said.
type osbAnswer struct {
	status int
	raw    []byte
	osbFields
}

type osbFields struct {
	Operation    string          `json:"operation"`
	DashboardURL string          `json:"dashboard_url"`
	State        string          `json:"state"`
	Description  string          `json:"description"`
	Credentials  json.RawMessage `json:"credentials"`
}

// brokerFailure is what went wrong with a request to a broker.
type brokerFailure struct {
	apiError
	orphan bool // the broker may have made something nevertheless
}

// refused makes a failure of an answer by which the broker doesn't take on what it was asked.
func (a osbAnswer) refused() *brokerFailure {
	status := fmt.Sprintf("%d %s", a.status, http.StatusText(a.status))
	f := &brokerFailure{apiError: apiError{Title: "CF-ServiceBrokerRequestRejected", Code: 10001}}
	switch {
	case a.status == http.StatusUnauthorized:
		f.Title = "CF-ServiceBrokerApiAuthenticationFailed"
		f.Detail = "Authentication with the service broker failed. Double-check that the username and password are correct."
	case a.Description != "":
		f.Detail = "Service broker error: " + a.Description
	default:
		f.Detail = "The service broker returned an invalid response. Status Code: " + status
	}
	if a.status >= http.StatusInternalServerError || a.status < http.StatusMultipleChoices {
		f.Title, f.orphan = "CF-ServiceBrokerBadResponse", true
	}
	return f
}

// sendOSB asks a broker. The password is in the header only: no failure repeats it.
func (c *CloudController) sendOSB(ctx context.Context, access brokerAccess, r osbRequest) (osbAnswer, *brokerFailure) {
	c.stats.toBroker(r.verb)
	if access.url == "" {
		return c.world.simulation.answer(r), nil
	}
	request, err := c.osbHTTP(ctx, access, r)
	if err != nil {
		return osbAnswer{}, unreachable()
	}
	answer, err := c.brokers.Do(request)
	if err != nil {
		return osbAnswer{}, transportFailure(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, bodyMaximum))
	if err != nil {
		return osbAnswer{}, transportFailure(err)
	}
	return parseAnswer(answer.StatusCode, raw)
}

// parseAnswer reads what a broker said. What it says when it takes something on must be an object; else it may be
// anything.
func parseAnswer(status int, raw []byte) (osbAnswer, *brokerFailure) {
	a := osbAnswer{status: status, raw: raw}
	if json.Unmarshal(raw, &a.osbFields) == nil && bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		return a, nil
	}
	a.osbFields = osbFields{}
	if status >= http.StatusMultipleChoices {
		return a, nil
	}
	return a, &brokerFailure{orphan: true, apiError: apiError{
		"The service broker returned an invalid response: expected valid JSON object in body", "CF-ServiceBrokerResponseMalformed", 10001,
	}}
}

func unreachable() *brokerFailure {
	return &brokerFailure{apiError: apiError{"The service broker could not be reached", "CF-ServiceBrokerApiUnreachable", 10001}}
}

func transportFailure(err error) *brokerFailure {
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		return &brokerFailure{orphan: true, apiError: apiError{
			"The request to the service broker timed out", "CF-ServiceBrokerApiTimeout", 10001,
		}}
	}
	return unreachable()
}

func (c *CloudController) osbHTTP(ctx context.Context, access brokerAccess, r osbRequest) (*http.Request, error) {
	address := strings.TrimRight(access.url, "/") + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(encode(r.body))
	}
	request, err := http.NewRequestWithContext(ctx, r.method, address, body)
	if err != nil {
		return nil, fmt.Errorf("request to the broker: %w", err)
	}
	request.SetBasicAuth(access.username, access.password)
	h := request.Header
	h.Set("Accept", "application/json")
	h.Set("X-Broker-Api-Version", osbVersion)
	h.Set("X-Api-Info-Location", strings.TrimPrefix(strings.TrimPrefix(c.URL(), "https://"), "http://")+"/v2/info")
	h.Set("X-Broker-Api-Request-Identity", uuid.NewString())
	h.Set("User-Agent", "HTTPClient/1.0 (cftest)")
	request.Header.Set("X-Vcap-Request-Id", r.caller.request)
	if r.caller.request == "" {
		h.Set("X-Vcap-Request-Id", uuid.NewString())
	}
	if r.caller.user.guid != "" {
		user := base64.StdEncoding.EncodeToString(encode(map[string]string{"user_id": r.caller.user.guid}))
		h.Set("X-Broker-Api-Originating-Identity", "cloudfoundry "+user)
	}
	if r.body != nil {
		h.Set("Content-Type", "application/json")
	}
	return request, nil
}
