package server_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/server"
)

func reviewers(t *testing.T) (s *site, ana, ben, eva []string) {
	people := []annotate.Account{{Name: "ana", Role: annotate.Annotator}, {Name: "ben", Role: annotate.Annotator}, {Name: "eva", Role: annotate.Adjudicator}}
	s = start(t, server.Options{}, people, nil)
	return s, s.logIn("ana", ""), s.logIn("ben", ""), s.logIn("eva", "")
}

const sendBack = `{"status":"returned","note":"the apex is missing"}`

// A label is sent back with a note, waits first in the queue with the note, is corrected, and waits for its review again.
func TestReview(t *testing.T) {
	s, ana, ben, eva := reviewers(t)
	item := "c1/002"
	full, empty := string(bytes.Repeat([]byte{1}, 120)), string(make([]byte, 120))
	s.want(200, s.do("PUT", path(item)+"/label", full, ana...))
	list := read[[]annotate.ReviewedCase](t, s.want(200, s.do("GET", "/api/v1/reviews", "", eva...)))
	if len(list) != 1 || list[0].Case != "c1" || list[0].Labelled != 1 || list[0].Waiting != 1 || list[0].Slices != 6 {
		t.Fatalf("the reviewer's list: %+v", list)
	}
	s.want(204, s.do("POST", path(item)+"/review", sendBack, eva...))
	labels := read[[]annotate.ReviewedItem](t, s.want(200, s.do("GET", "/api/v1/cases/c1/reviews", "", ana...)))
	if len(labels) != 1 || labels[0].Status != "returned" || labels[0].Last.Note != "the apex is missing" || labels[0].Last.Who != "eva" || labels[0].Who != "ana" {
		t.Errorf("labels: %+v", labels)
	}
	task := read[annotate.Task](t, s.want(200, s.do("POST", "/api/v1/next", "", ben...)))
	if task.Item != item || task.Purpose != "correction" || task.Review == nil || task.Review.Note != "the apex is missing" || task.Label == nil {
		t.Fatalf("what was sent back does not come first: %+v", task)
	}
	other := read[annotate.Task](t, s.want(200, s.do("POST", "/api/v1/next", fmt.Sprintf(`{"after":%q}`, item), ben...)))
	again := read[annotate.Task](t, s.want(200, s.do("POST", "/api/v1/next", fmt.Sprintf(`{"after":%q}`, other.Item), ben...)))
	if other.Item == item || again.Item != item {
		t.Errorf("after it comes %s, and after that %s", other.Item, again.Item)
	}
	s.want(200, s.do("PUT", path(item)+"/label?base=1", empty, ben...))
	labels = read[[]annotate.ReviewedItem](t, s.want(200, s.do("GET", "/api/v1/cases/c1/reviews", "", eva...)))
	if labels[0].Status != "" || labels[0].Version != 2 || labels[0].Last == nil || labels[0].Last.Version != 1 {
		t.Errorf("corrected: %+v", labels)
	}
	if a := s.want(409, s.do("POST", path(item)+"/review", `{"status":"accepted","version":1}`, eva...)); !strings.Contains(a.detail(), "version 2") {
		t.Errorf("an old version was accepted: %s", a.detail())
	}
	s.want(204, s.do("POST", path(item)+"/review", `{"status":"accepted","version":2}`, eva...))
	for _, q := range read[[]annotate.QueueEntry](t, s.want(200, s.do("GET", "/api/v1/queue", "", eva...))) {
		if q.Item == item && q.State != "done" {
			t.Errorf("it still waits: %+v", q)
		}
	}
	var told []string
	for _, e := range read[[]annotate.LogEntry](t, s.want(200, s.do("GET", "/api/v1/history", "", eva...))) {
		if e.Action == "review" && e.Item == item && e.Person == "eva" {
			told = append(told, e.Detail)
		}
	}
	if want := []string{"version 2, accepted", "version 1, returned: the apex is missing"}; fmt.Sprint(told) != fmt.Sprint(want) {
		t.Errorf("audit: %q", told)
	}
	// One that is sent back and then accepted after all does not wait any longer.
	s.want(204, s.do("POST", path(item)+"/review", sendBack, eva...))
	s.want(204, s.do("POST", path(item)+"/review", `{"status":"accepted"}`, eva...))
	for _, q := range read[[]annotate.QueueEntry](t, s.want(200, s.do("GET", "/api/v1/queue", "", eva...))) {
		if q.Item == item && q.State != "done" && q.State != "withdrawn" {
			t.Errorf("accepted after all, and it still waits: %+v", q)
		}
	}
	for _, body := range []string{`{"status":"returned"}`, `{"status":"returned","note":"  "}`, `{"status":"fine"}`, `{}`, `{"status":"discuss","note":"` + strings.Repeat("x", 1001) + `"}`} {
		s.want(422, s.do("POST", path(item)+"/review", body, eva...))
	}
}

// A whole case is reviewed at once, and exported when every slice is accepted.
func TestReviewOfACase(t *testing.T) {
	s, ana, _, eva := reviewers(t)
	for _, name := range []string{"c1", "c2"} {
		for k := range 6 {
			s.want(200, s.do("PUT", path(fmt.Sprintf("%s/%03d", name, k))+"/label", string(bytes.Repeat([]byte{1}, 120)), ana...))
		}
	}
	files := func(query string) (names []string, list string) {
		a := s.want(200, s.do("GET", "/api/v1/export?"+query, "", eva...))
		z, err := zip.NewReader(bytes.NewReader(a.body), int64(len(a.body)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			names = append(names, f.Name)
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			if f.Name == "labelled.csv" {
				list = string(text)
			} else if m := maskIn(t, text); query == "partial=true&review=accepted" && (m.Data[3*120] != 1 || m.Data[2*120] != 0) {
				t.Errorf("%s: accepted slice %d, rejected one %d", f.Name, m.Data[3*120], m.Data[2*120])
			}
		}
		return names, list
	}
	s.want(422, s.do("GET", "/api/v1/export?review=accepted", "", eva...))
	if got := read[struct{ Labels int }](t, s.want(200, s.do("POST", "/api/v1/cases/c1/review", `{"status":"accepted","note":"good"}`, eva...))); got.Labels != 6 {
		t.Errorf("%d labels were reviewed", got.Labels)
	}
	if names, list := files("review=accepted"); fmt.Sprint(names) != "[c1.nii.gz labelled.csv]" || strings.Count(list, ",accepted,eva,good\n") != 6 || !strings.Contains(list, ",review,reviewer,note\n") {
		t.Errorf("%v\n%s", names, list)
	}
	if names, _ := files("review=all"); len(names) != 3 {
		t.Errorf("all: %v", names)
	}
	s.want(204, s.do("POST", path("c1/002")+"/review", `{"status":"rejected"}`, eva...))
	s.want(422, s.do("GET", "/api/v1/export?review=accepted", "", eva...)) // no case is accepted throughout
	if names, list := files("partial=true&review=accepted"); fmt.Sprint(names) != "[c1.nii.gz labelled.csv]" || strings.Count(list, "\n") != 6 {
		t.Errorf("%v\n%s", names, list)
	}
	if a := s.want(200, s.do("GET", "/api/v1/export?format=csv&review=accepted", "", eva...)); bytes.Count(a.body, []byte("\n")) != 6 {
		t.Errorf("csv: %s", a.body)
	}
	// A new version is not what was accepted.
	s.want(200, s.do("PUT", path("c1/003")+"/label", string(bytes.Repeat([]byte{1}, 120)), ana...))
	if a := s.want(200, s.do("GET", "/api/v1/export?format=csv&review=accepted", "", eva...)); bytes.Count(a.body, []byte("\n")) != 5 || bytes.Contains(a.body, []byte("c1,3,")) {
		t.Errorf("csv: %s", a.body)
	}
	s.want(204, s.do("POST", path("c1/003")+"/review", `{"status":"accepted"}`, eva...))
	s.want(409, s.do("POST", "/api/v1/cases/c3/review", `{"status":"accepted"}`, eva...))
	s.want(404, s.do("POST", "/api/v1/cases/c9/review", `{"status":"accepted"}`, eva...))
	list := read[[]annotate.ReviewedCase](t, s.want(200, s.do("GET", "/api/v1/reviews", "", eva...)))
	if list[0].Accepted != 5 || list[0].Rejected != 1 || list[0].Waiting != 0 || list[1].Waiting != 6 {
		t.Errorf("%+v", list)
	}
}

// A review of all labels of a case counts for the versions that the reviewer saw, and leaves what is reviewed alone.
func TestReviewOfAllIsOfWhatWasShown(t *testing.T) {
	s, ana, ben, eva := reviewers(t)
	save := func(slice int, who []string) {
		t.Helper()
		s.want(200, s.do("PUT", path(fmt.Sprintf("c1/%03d", slice))+"/label", string(bytes.Repeat([]byte{1}, 120)), who...))
	}
	for k := range 5 {
		save(k, ana)
	}
	versions := map[string]int{}
	for _, l := range read[[]annotate.ReviewedItem](t, s.want(200, s.do("GET", "/api/v1/cases/c1/reviews", "", eva...))) {
		versions[l.Item] = l.Version
	}
	seen, err := json.Marshal(versions)
	if err != nil {
		t.Fatal(err)
	}
	s.want(204, s.do("POST", path("c1/000")+"/review", `{"status":"rejected"}`, eva...))
	s.want(204, s.do("POST", path("c1/001")+"/review", sendBack, eva...))
	s.want(204, s.do("POST", path("c1/002")+"/review", `{"status":"discuss"}`, eva...))
	save(3, ben) // another version
	save(5, ben) // the first one
	all := func(status, versions string) answer {
		return s.do("POST", "/api/v1/cases/c1/review", fmt.Sprintf(`{"status":%q%s}`, status, versions), eva...)
	}
	want := func(statuses ...string) {
		t.Helper()
		for k, l := range read[[]annotate.ReviewedItem](t, s.want(200, s.do("GET", "/api/v1/cases/c1/reviews", "", eva...))) {
			if l.Status != statuses[k] {
				t.Errorf("%s: %q, want %q", l.Item, l.Status, statuses[k])
			}
		}
	}
	if got := read[struct{ Labels int }](t, s.want(200, all("accepted", `,"versions":`+string(seen)))); got.Labels != 1 {
		t.Errorf("%d labels were reviewed", got.Labels)
	}
	want("rejected", "returned", "discuss", "", "accepted", "")
	for _, q := range read[[]annotate.QueueEntry](t, s.want(200, s.do("GET", "/api/v1/queue", "", eva...))) {
		if q.Item == "c1/001" && q.Purpose == "correction" && (q.State == "done" || q.State == "withdrawn") {
			t.Errorf("the correction is no longer asked for: %+v", q)
		}
	}
	if a := s.want(409, all("accepted", `,"versions":`+string(seen))); !strings.Contains(a.detail(), "single labels") {
		t.Errorf("nothing to review: %s", a.body)
	}
	s.want(409, all("accepted", `,"versions":{}`))
	s.want(403, s.do("POST", "/api/v1/cases/c1/review", `{"status":"accepted","versions":{}}`, ana...))
	s.want(200, all("rejected", ""))
	want("rejected", "returned", "discuss", "rejected", "accepted", "rejected")
}

// Rejected labels are not learnt from.
func TestRejectedIsNotLearnt(t *testing.T) {
	s := start(t, server.Options{}, nil, func(c *annotate.Config) { c.InitialSize, c.QuerySize, c.ValidationCases = 3, 2, []string{"c4"} })
	ana := s.logIn("ana", "")
	for _, item := range []string{"c0/001", "c0/002"} {
		s.want(200, s.do("PUT", path(item)+"/label", string(bytes.Repeat([]byte{1}, 120)), ana...))
	}
	s.want(204, s.do("POST", path("c0/001")+"/review", `{"status":"rejected"}`, ana...))
	s.want(200, s.do("PUT", path("c1/001")+"/label", string(bytes.Repeat([]byte{1}, 120)), ana...))
	if summary := read[annotate.Summary](t, s.want(200, s.do("GET", "/api/v1/project", "", ana...))); summary.UntilModel == nil || *summary.UntilModel != 1 {
		t.Errorf("until the first model: %v", summary.UntilModel)
	}
	s.want(200, s.do("PUT", path("c1/002")+"/label", string(bytes.Repeat([]byte{1}, 120)), ana...))
	until(t, "a training", func() bool { return len(read[[]annotate.Model](t, s.do("GET", "/api/v1/models", "", ana...))) > 0 })
	if m := read[[]annotate.Model](t, s.do("GET", "/api/v1/models", "", ana...)); m[0].Labelled != 3 {
		t.Errorf("the first model saw %d labels, one of four is rejected", m[0].Labelled)
	}
}

// Who may review what, by route: annotators nothing; nobody what two people are reading, what somebody holds, or what has no label.
func TestReviewRights(t *testing.T) {
	s, ana, ben, eva := reviewers(t)
	s.want(200, s.do("PUT", path("c1/001")+"/label", string(make([]byte, 120)), ana...))
	s.want(200, s.do("PUT", path("c1/002")+"/label", string(make([]byte, 120)), ana...))
	s.want(200, s.do("PUT", path("c2/001")+"/label", string(make([]byte, 120)), ana...))
	s.want(204, s.do("POST", path("c1/002")+"/read2", "", eva...))
	for _, q := range read[[]annotate.QueueEntry](t, s.want(200, s.do("GET", "/api/v1/queue", "", eva...))) { // saving leases the next one
		s.want(204, s.do("POST", path(q.Item)+"/release", "", eva...))
	}
	s.want(200, s.do("POST", path("c2/001")+"/hold", "", ben...))
	for _, body := range []string{sendBack, `{"status":"accepted"}`, `{"status":"rejected"}`, `{"status":"discuss"}`} {
		for _, c := range []struct {
			status int
			who    []string
			route  string
		}{
			{401, nil, path("c1/001")}, {401, nil, "/api/v1/cases/c1"},
			{403, ana, path("c1/001")}, {403, ben, path("c1/001")}, {403, ben, path("c1/002")}, {403, ben, path("c1/003")}, {409, ana, path("c2/001")}, {403, ben, path("c2/001")},
			{403, ana, "/api/v1/cases/c1"}, {403, ben, "/api/v1/cases/c2"},
			{409, eva, path("c1/002")}, {409, eva, path("c1/003")}, {409, eva, path("c2/001")}, {409, eva, "/api/v1/cases/c2"},
			{404, eva, path("c9/001")}, {404, eva, path("c1/099")},
		} {
			if a := s.do("POST", c.route+"/review", body, c.who...); a.status != c.status {
				t.Errorf("%s, %s: status %d, want %d: %s", c.route, body, a.status, c.status, a.body)
			}
		}
	}
	s.want(401, s.do("GET", "/api/v1/reviews", ""))
	s.want(401, s.do("GET", "/api/v1/cases/c1/reviews", ""))
	for _, who := range [][]string{ana, eva} { // what is read twice is in no list
		if labels := read[[]annotate.ReviewedItem](t, s.want(200, s.do("GET", "/api/v1/cases/c1/reviews", "", who...))); len(labels) != 1 || labels[0].Item != "c1/001" {
			t.Errorf("%+v", labels)
		}
	}
	if got := read[struct{ Labels int }](t, s.want(200, s.do("POST", "/api/v1/cases/c1/review", `{"status":"accepted"}`, eva...))); got.Labels != 1 {
		t.Errorf("%d labels of c1 were reviewed", got.Labels)
	}
}
