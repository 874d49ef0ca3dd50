package server

import "net/http"

// healthy says that the process serves requests. Whether it can do anything for them is for /readyz to say.
func healthy(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

func ready(b Broker) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		readiness := b.Readiness(r.Context())
		status := http.StatusOK
		if !readiness.Ready {
			status = http.StatusServiceUnavailable
		}
		writeJSON(w, status, readiness)
	}
}
