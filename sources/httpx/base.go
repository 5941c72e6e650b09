package httpx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

// Network is how to reach the world.
type Network struct {
	// Proxy is "http://proxy:3128"; "" means the environment's, "none" a direct connection. It holds no
	// user or password: those are SignIn's.
	Proxy  string
	CAFile string // a PEM file of certificates that are trusted besides the system's
	// SignIn tells what Proxy wants to know; nil: nothing. It is asked for each request, within its
	// context, and its errors are the request's.
	SignIn func(context.Context) (user, password string, err error)
	// Certificate is what a server that asks for one is shown; nil: nothing. It is asked for at each
	// handshake, within its context, and its errors are the request's.
	Certificate func(context.Context) (*tls.Certificate, error)
}

// Base makes a transport for n. It reads CAFile and nothing else. Every phase has a time-out but the
// body, which ends with its request's context.
func Base(n Network) (http.RoundTripper, error) {
	proxy, err := proxyFunc(n)
	if err != nil {
		return nil, err
	}
	pool, err := certPool(n.CAFile)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	if n.Certificate != nil {
		config.GetClientCertificate = func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return n.Certificate(r.Context())
		}
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                 proxy,
		DialContext:           dialer.DialContext,
		TLSClientConfig:       config,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          64,
		MaxIdleConnsPerHost:   8,
		MaxConnsPerHost:       32,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		ExpectContinueTimeout: time.Second,
		OnProxyConnectResponse: func(_ context.Context, proxy *url.URL, _ *http.Request, res *http.Response) error {
			return refusedByProxy(proxy.Host, res.StatusCode)
		},
	}, nil
}

// proxyFunc never shows the address that it refuses: it may hold a password.
func proxyFunc(n Network) (func(*http.Request) (*url.URL, error), error) {
	switch n.Proxy {
	case "", "none":
		if n.SignIn != nil {
			return nil, errors.New("proxy: there is no address to sign in to")
		}
		if n.Proxy == "none" {
			return nil, nil
		}
		return http.ProxyFromEnvironment, nil
	}
	u, err := url.Parse(n.Proxy)
	if err != nil || u.Host == "" {
		return nil, errors.New("proxy: want an address like http://proxy:3128")
	}
	if u.User != nil {
		return nil, errors.New("proxy: holds a user or a password")
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
	default:
		return nil, fmt.Errorf("proxy: cannot speak %s: use http, https or socks5", u.Scheme)
	}
	if n.SignIn == nil {
		return http.ProxyURL(u), nil
	}
	return func(req *http.Request) (*url.URL, error) {
		user, password, err := n.SignIn(req.Context())
		if err != nil {
			return nil, err
		}
		signed := *u
		signed.User = url.UserPassword(user, password)
		return &signed, nil
	}, nil
}

func certPool(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := readPEM(file)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("ca_file: " + file + " holds no certificate in PEM form")
	}
	return pool, nil
}

// readPEM reads a small file.
func readPEM(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file
	}
	return data, nil
}
