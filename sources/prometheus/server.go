package prometheus

import (
	"net/http"
	"net/url"

	"example.com/signalbox/sources/httpx"
)

// server is the one server that a source reads.
type server struct {
	address *url.URL
	client  *http.Client
}

func newServer(address *url.URL, t http.RoundTripper) *server {
	return &server{address: address, client: &http.Client{Transport: t, CheckRedirect: httpx.SameHost(address, "url")}}
}
