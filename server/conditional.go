package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

// conditional gives the catalog an ETag, and answers 304 to who has it already: platforms read it again and again (OSB 2.17,
// Catalog Management).
func conditional(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/catalog" || r.Method != http.MethodGet {
			next.ServeHTTP(w, r)
			return
		}
		kept := &keptAnswer{header: w.Header(), status: http.StatusOK}
		next.ServeHTTP(kept, r)
		if kept.status == http.StatusOK {
			digest := sha256.Sum256(kept.body.Bytes())
			tag := `"` + hex.EncodeToString(digest[:16]) + `"`
			w.Header().Set("ETag", tag)
			if strings.Contains(r.Header.Get("If-None-Match"), tag) { // one of several, perhaps weakened by who compressed it
				w.Header().Del("Content-Type")
				w.WriteHeader(http.StatusNotModified)
				return
			}
		}
		w.WriteHeader(kept.status)
		_, _ = w.Write(kept.body.Bytes()) // the only failure left is a client that has gone
	})
}

// keptAnswer is an answer that isn't sent yet. Its header is that of the answer to come.
type keptAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *keptAnswer) Header() http.Header         { return k.header }
func (k *keptAnswer) WriteHeader(status int)      { k.status = status }
func (k *keptAnswer) Write(p []byte) (int, error) { return k.body.Write(p) }
