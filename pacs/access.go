package pacs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"time"
)

// Access says how a server is reached. Its secrets are never printed.
type Access struct {
	User, Password string
	Token          string // a bearer token; then user and password are not used
	CA             string // PEM file of certificates that are trusted beside the system's; may be ""
	Insecure       bool   // plain HTTP to other machines too
}

// ReadCredentials reads the user and password, "user:password", or the token in the one line of a file that nobody else can read.
func (a *Access) ReadCredentials(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s can be read by others: chmod 600 %s", path, path)
	}
	if info.Size() > 1<<16 {
		return fmt.Errorf("%s: want one line, user:password or a token", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	line := strings.TrimSpace(string(text))
	if line == "" || strings.ContainsAny(line, "\r\n") {
		return fmt.Errorf("%s: want one line, user:password or a token", path)
	}
	if user, password, ok := strings.Cut(line, ":"); ok {
		a.User, a.Password, a.Token = user, password, ""
	} else {
		a.User, a.Password, a.Token = "", "", line
	}
	return nil
}

// authorise puts the secrets into a request.
func (a Access) authorise(r *http.Request) {
	switch {
	case a.Token != "":
		r.Header.Set("Authorization", "Bearer "+a.Token)
	case a.User != "" || a.Password != "":
		r.SetBasicAuth(a.User, a.Password)
	}
}

// given reports whether there are any secrets.
func (a Access) given() bool { return a.Token != "" || a.User != "" || a.Password != "" }

// root checks the address of a server. Errors do not repeat the address: a password may stand in it.
func (a Access) root(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("the server's address is no URL: want something like https://pacs.example/dicom-web")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("user, password and token do not belong into the URL: set NEXTSLICE_PACS_USER and NEXTSLICE_PACS_PASSWORD, or NEXTSLICE_PACS_TOKEN, or name a file with --credentials")
	case u.Scheme == "http" && !a.Insecure && !loopback(u.Hostname()):
		return nil, errors.New("plain HTTP to another machine: whoever sees the network's traffic sees names, images and passwords; use https, or insist with --insecure")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = ""
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// transport returns what requests travel by: HTTPS_PROXY and its like are heeded, redirects are not.
func (a Access) transport() (*http.Client, error) {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   30 * time.Second,
		ResponseHeaderTimeout: answerWithin,
		MaxIdleConnsPerHost:   4,
		IdleConnTimeout:       time.Minute,
		ForceAttemptHTTP2:     true,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if a.CA != "" {
		text, err := os.ReadFile(a.CA)
		if err != nil {
			return nil, err
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s: no certificate in PEM form", a.CA)
		}
		t.TLSClientConfig.RootCAs = pool
	}
	// A redirect could lead anywhere, with the password in hand.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Transport: t, CheckRedirect: stay}, nil
}

// reason returns why a request failed, without its address, in which a patient's number may stand.
func reason(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		return final(errors.New("the server's certificate is signed by nobody known here: name the hospital's certificate with --ca FILE"))
	}
	return err
}
