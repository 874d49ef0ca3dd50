package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// spoiling serves what the broker at the URL answers, with some of it made wrong.
func spoiling(broker string) string {
	GinkgoHelper()
	target, err := url.Parse(broker)
	Expect(err).NotTo(HaveOccurred())
	var answers atomic.Int64
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(r *http.Response) error {
			text, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			body := object{}
			if json.Unmarshal(text, &body) == nil {
				spoil(r, body, int(answers.Add(1)))
				if text, err = json.Marshal(body); err != nil {
					return err
				}
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
			r.Header.Set("Content-Length", strconv.Itoa(len(text)))
			return nil
		},
	}
	server := httptest.NewServer(proxy)
	DeferCleanup(server.Close)
	return server.URL
}

// spoil makes the nth answer wrong.
func spoil(r *http.Response, body object, nth int) {
	ofBinding := strings.Contains(r.Request.URL.Path, "/service_bindings/")
	switch operation, _ := body["operation"].(string); {
	case operation != "":
		body["operation"] = operation + strings.Repeat(" ", nth)
	case body["error"] == "MaintenanceInfoConflict":
		body["error"] = "Conflict"
	case r.StatusCode == http.StatusConflict && !ofBinding:
		r.StatusCode = http.StatusOK
	case r.StatusCode == http.StatusGone:
		r.StatusCode = http.StatusNotFound
	case r.StatusCode == http.StatusNotFound:
		r.Header.Del("X-Broker-API-Request-Identity")
	case r.StatusCode == http.StatusBadRequest:
		r.Header.Set("Content-Type", "text/plain")
	case body["maintenance_info"] != nil:
		body["maintenance_info"] = object{"version": "3.2.1"}
	case body["state"] == "in progress":
		r.Header.Del("Retry-After")
	case body["credentials"] != nil && r.StatusCode == http.StatusOK:
		body["credentials"] = object{"password": "another"}
	}
}
