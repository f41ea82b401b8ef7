package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/server"
)

// The protocol of MONAI Label is under its own path and at the root of a second server, by the accounts, sessions and limits of the page.
func TestMONAILabel(t *testing.T) {
	people := []annotate.Account{{Name: "ana", Role: annotate.Annotator, Token: "the secret of ana"}, {Name: "eva", Role: annotate.Adjudicator, Token: "the secret of eva"}}
	s := start(t, server.Options{Local: true}, people, nil)
	second := httptest.NewTLSServer(s.handler.MONAILabel(true).Handler) // which the client does not verify
	defer second.Close()
	roots := map[string]*site{
		"prefix": {t, s.project, s.handler, s.url + server.MONAILabelPath, s.client},
		"second": {t, s.project, s.handler, second.URL, second.Client()},
	}
	page := s.logIn("ana", "the secret of ana")
	s.want(200, s.do("PUT", path("c1/001")+"/label", string(make([]byte, 120)), page...))
	for name, root := range roots {
		for _, path := range []string{"/auth/", "/auth", "/"} {
			if a := root.want(200, root.do("GET", path, "")); a.header.Get("Content-Type") != "application/json" || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %s: %v", name, path, a.header)
			}
		}
		root.want(401, root.do("GET", "/info/", ""))
		root.want(200, root.do("GET", "/info/", "", page...)) // a session of the page
		a := root.want(200, root.do("POST", "/auth/token", "username=eva&password=the+secret+of+eva&grant_type=password", "Content-Type", "application/x-www-form-urlencoded"))
		eva := []string{"Authorization", "bearer " + read[map[string]string](t, a)["access_token"]}
		root.want(200, root.do("GET", "/info/", "", eva...))
		s.want(200, s.do("GET", "/api/v1/me", "", "Authorization", "Bearer "+strings.TrimPrefix(eva[1], "bearer "))) // and the other way round
		for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "http://evil.example"}} {
			root.want(403, root.do("POST", "/activelearning/entropy_sb", "{}", append(headers, eva...)...))
		}
		root.want(421, root.do("GET", "/info/", "", append([]string{"Host", "evil.example"}, eva...)...))
		root.want(403, root.do("DELETE", "/train/", "", page...)) // to stop a training is an adjudicator's right
		root.want(200, root.do("DELETE", "/train/", "", eva...))
		root.want(403, root.do("PUT", "/datastore/updatelabelinfo?label=c1", "params=%7B%22segmentationMeta%22%3A%7B%22status%22%3A%22approved%22%7D%7D",
			append([]string{"Content-Type", "application/x-www-form-urlencoded"}, page...)...))
	}
	// Guesses count together, wherever they come in.
	last := answer{}
	for n := range 20 {
		root := roots[[]string{"prefix", "second"}[n%2]]
		if last = root.do("POST", "/auth/token", "username=ana&password=guess", "Content-Type", "application/x-www-form-urlencoded"); last.status != 401 {
			break
		}
	}
	if last.status != http.StatusTooManyRequests || last.header.Get("Retry-After") == "" {
		t.Errorf("20 guesses: status %d, %v", last.status, last.header)
	}
	s.want(429, s.do("POST", "/api/v1/login", `{"name":"ana","token":"the secret of ana"}`))
}

// With a shared secret and no list of people it is asked for, too.
func TestMONAILabelSecret(t *testing.T) {
	s := start(t, server.Options{Token: "a secret of 24 letters.."}, nil, nil)
	s.want(401, s.do("GET", "/monailabel/info/", ""))
	if a := s.want(200, s.do("GET", "/monailabel/auth/", "")); !strings.Contains(string(a.body), `"enabled":true`) {
		t.Errorf("%s", a.body)
	}
	s.want(401, s.do("POST", "/monailabel/auth/token", "username=ana&password=x", "Content-Type", "application/x-www-form-urlencoded"))
	s.want(200, s.do("POST", "/monailabel/auth/token", "username=ana&password=a+secret+of+24+letters..", "Content-Type", "application/x-www-form-urlencoded"))
}
