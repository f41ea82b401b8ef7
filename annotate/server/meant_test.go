package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/fault"
	"github.com/nextslice/nextslice/annotate/server"
)

// A request that names the project and the person it is meant for does nothing in another project, and nothing as another person: a page stays open
// while another server comes to its address, or somebody else logs in in its browser. One that names neither is taken, and one that names both rightly.
func TestRequestsAreMeantForAProjectAndAPerson(t *testing.T) {
	s := start(t, server.Options{}, nil, nil)
	const name = "Zoë & Ana/+%"
	ana := s.logIn(name, "")
	s.logIn("ben", "")
	id, own := url.QueryEscape(s.project.ID()), url.QueryEscape(name)
	spec, err := s.handler.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var api struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal(spec, &api); err != nil {
		t.Fatal(err)
	}
	before := s.want(200, s.do("GET", "/api/v1/history?limit=1000", "", ana...))
	refused := func(want fault.Code, method, path, query string) {
		t.Helper()
		a := s.do(method, path+"?"+query, "", ana...)
		if got := read[fault.Message](t, a); a.status != http.StatusPreconditionFailed || got.Code != want {
			t.Errorf("%s %s?%s: %d %s, want %s", method, path, query, a.status, a.body, want)
		} else if want == fault.OtherPerson && got.Values["who"] != name {
			t.Errorf("%s %s?%s: who is %v", method, path, query, got.Values["who"])
		}
	}
	operations := 0
	for path, methods := range api.Paths {
		path = strings.NewReplacer("{item}", "c1%2F002", "{case}", "c1", "{slice}", "2", "{version}", "1").Replace(path)
		for method := range methods {
			operations++
			method = strings.ToUpper(method)
			refused(fault.OtherProject, method, path, "for_project=OTHER")
			refused(fault.OtherProject, method, path, "for_project=OTHER&for_person="+own)
			if path != "/api/v1/login" { // which makes somebody known
				refused(fault.OtherPerson, method, path, "for_person=ben")
				refused(fault.OtherPerson, method, path, "for_project="+id+"&for_person=ben")
			}
		}
	}
	if operations < 30 {
		t.Fatalf("%d operations", operations)
	}
	if a := s.do("GET", "/api/v1/project?for_project=OTHER", ""); a.status != http.StatusPreconditionFailed {
		t.Errorf("without a session: %d, want to know first that it is another project", a.status)
	}
	if after := s.want(200, s.do("GET", "/api/v1/history?limit=1000", "", ana...)); string(after.body) != string(before.body) {
		t.Errorf("refused requests have done something: %s", after.body)
	}

	both := "for_project=" + id + "&for_person=" + own
	for _, query := range []string{"", "for_project=" + id, "for_person=" + own, both} {
		s.want(200, s.do("GET", "/api/v1/project?"+query, "", ana...))
	}
	s.want(200, s.do("PUT", path("c1/002")+"/label?"+both, string(make([]byte, 120)), ana...))
	if versions := read[[]annotate.Version](t, s.want(200, s.do("GET", path("c1/002")+"/versions?"+both, "", ana...))); len(versions) != 1 || versions[0].Who != name {
		t.Errorf("versions: %+v", versions)
	}
}
