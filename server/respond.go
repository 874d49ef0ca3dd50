package server

import (
	"encoding/json"
	"net/http"
)

// errorBody is OSB 2.17's: description for the user, error a word for the platform.
type errorBody struct {
	Error       string `json:"error,omitempty"`
	Description string `json:"description"`
}

func writeError(w http.ResponseWriter, status int, description string) {
	writeJSON(w, status, errorBody{Description: description})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the only failure left is a client that has gone
}
