package monailabel_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
)

func full(int, int) uint8 { return 1 }

// Next Sample gives the case with the most slices that wait, and keeps them for the person. Pressed again without a submission it goes on
// to another case and gives the first one back.
func TestMostQueuedSlices(t *testing.T) {
	s := start(t, options{})
	queue, err := s.project.Queue.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	waiting := map[string]int{}
	for _, q := range queue {
		name, _, _ := strings.Cut(q.Item, "/")
		waiting[name]++
	}
	first := s.next(`{"client_id":"ana"}`)
	for name, n := range waiting {
		if n > len(first.Slices) {
			t.Errorf("%s has %d slices that wait, and %s with %d came", name, n, first.ID, len(first.Slices))
		}
	}
	if waiting[first.ID] != len(first.Slices) || !slices.IsSorted(first.Slices) || !strings.Contains(first.Description, fmt.Sprintf("%d (", first.Slices[0]+1)) {
		t.Errorf("%+v, waiting %v", first, waiting)
	}
	other := s.next(`{"client_id":"ben"}`)
	if other.ID == first.ID {
		t.Fatalf("both were given %s", other.ID)
	}
	a := s.want(409, s.put("/datastore/label?image="+first.ID, `{"client_id":"ben","slices":"all"}`, "m.nii.gz", s.mask(first.ID, ".nii.gz", full)))
	if !strings.Contains(string(a.body), "ana is working on "+first.ID) || len(s.labelled(first.ID)) > 0 {
		t.Errorf("ben took what ana holds: %s, %v", a.body, s.labelled(first.ID))
	}
	second := s.next(`{"client_id":"ana"}`)
	if second.ID == first.ID || second.ID == other.ID {
		t.Errorf("pressed again: %s after %s, while ben has %s", second.ID, first.ID, other.ID)
	}
	if got := s.next(`{"client_id":"ben"}`); got.ID != first.ID {
		t.Errorf("ana has laid %s aside, and ben is given %s", first.ID, got.ID)
	}
	log, err := s.project.Dashboard.History(t.Context(), 50)
	if err != nil || !slices.ContainsFunc(log, func(e annotate.LogEntry) bool {
		return e.Person == "ana" && e.Action == "case leased" && e.Item == first.ID
	}) {
		t.Errorf("the log does not tell who was given what: %v, %+v", err, log)
	}
}

// A mask counts for the slices that were asked for, or for all when the person says so: in one of four ways.
func TestWhatCounts(t *testing.T) {
	every := []int{0, 1, 2, 3, 4, 5}
	for way, c := range map[string]struct {
		ask, query, params string
		all                bool
	}{
		"asked":             {`{"client_id":"ana","slices":"those asked for"}`, "", `{"client_id":"ana"}`, false},
		"by the option":     {`{"client_id":"ana","slices":"all"}`, "", `{"client_id":"ana"}`, true},
		"by the request":    {`{"client_id":"ana"}`, "", `{"client_id":"ana","slices":"all"}`, true},
		"by the address":    {`{"client_id":"ana"}`, "&slices=all", `{"client_id":"ana"}`, true},
		"by a segment":      {`{"client_id":"ana"}`, "", `{"client_id":"ana","label_info":[{"name":"structure","idx":1},{"name":"asked_slices","idx":2},{"name":"all_slices","idx":3}]}`, true},
		"by another word":   {`{"client_id":"ana","slices":"some"}`, "&slices=1", `{"client_id":"ana","slices":"1"}`, false},
		"by the model name": {`{"client_id":"ana"}`, "", `{"client_id":"ana","model":"all"}`, false},
	} {
		s := start(t, options{})
		got := s.next(c.ask)
		s.want(200, s.put("/datastore/label?image="+got.ID+c.query, c.params, "m.nii.gz", s.mask(got.ID, ".nii.gz", ball)))
		want := got.Slices
		if c.all {
			want = every
		}
		if now := s.labelled(got.ID); !slices.Equal(now, want) {
			t.Errorf("%s: labelled %v, want %v", way, now, want)
		}
		mask, err := s.project.Labels.Mask(t.Context(), annotate.Anybody("x"), got.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range want {
			if !bytes.Equal(mask.Slice(2, k), []byte(expected(k))) {
				t.Errorf("%s: slice %d is not what was drawn", way, k)
			}
		}
	}
}

func expected(k int) (slice string) {
	for i := range 120 {
		slice += string(rune(ball(k, i)))
	}
	return slice
}

// Without Next Sample nothing is asked for, and nothing is stored by accident. After a restart of the server the leases tell what was asked.
func TestSubmitWithoutSample(t *testing.T) {
	s := start(t, options{})
	file := s.mask("c0", ".nii.gz", full)
	if a := s.want(409, s.put("/datastore/label?image=c0", `{"client_id":"ana"}`, "m.nii.gz", file)); !strings.Contains(string(a.body), "all_slices") {
		t.Errorf("%s", a.body)
	}
	if n := s.labelled("c0"); len(n) > 0 {
		t.Fatalf("stored: %v", n)
	}
	got := s.next(`{"client_id":"ana"}`)
	s.restart()
	s.want(409, s.put("/datastore/label?image="+got.ID, `{"client_id":"ben"}`, "m.nii.gz", file))
	s.want(200, s.put("/datastore/label?image="+got.ID, `{"client_id":"ana"}`, "m.nii.gz", s.mask(got.ID, ".nii.gz", full)))
	if now := s.labelled(got.ID); !slices.Equal(now, got.Slices) {
		t.Errorf("labelled %v, want %v", now, got.Slices)
	}
	s.want(409, s.put("/datastore/label?image="+got.ID, `{"client_id":"ana"}`, "m.nii.gz", file)) // it was submitted
	s.want(200, s.put("/datastore/label?image="+got.ID, `{"client_id":"ana","slices":"all"}`, "m.nii.gz", s.mask(got.ID, ".nii.gz", full)))
	versions, err := s.project.Labels.Versions(t.Context(), annotate.Anybody("ana"), annotate.Item{Case: got.ID, Slice: got.Slices[0]})
	if err != nil || len(versions) != 1 || versions[0].Who != "ana" || versions[0].Action != annotate.Edited {
		t.Errorf("a slice that is the same has new versions: %+v, %v", versions, err)
	}
}

// What somebody has saved meanwhile is not overwritten without a word.
func TestSavedMeanwhile(t *testing.T) {
	s := start(t, options{})
	got := s.next(`{"client_id":"ana","slices":"all"}`)
	other := annotate.Item{Case: got.ID}
	for slices.Contains(got.Slices, other.Slice) {
		other.Slice++
	}
	if _, err := s.project.Labels.Save(t.Context(), annotate.Anybody("ben"), annotate.Answer{Item: other, Mask: make([]uint8, 120), Action: annotate.Empty}); err != nil {
		t.Fatal(err)
	}
	a := s.want(409, s.put("/datastore/label?image="+got.ID, `{"client_id":"ana"}`, "m.nii.gz", s.mask(got.ID, ".nii.gz", full)))
	if !strings.Contains(string(a.body), "ben has saved version 1 of "+other.String()) || len(s.labelled(got.ID)) != 1 {
		t.Errorf("%s, labelled %v", a.body, s.labelled(got.ID))
	}
}

// A slice that the person has labelled on the page since they were given it, and left as it was here, stays as the page has it; one that was
// drawn in both places is refused.
func TestLabelledOnThePageMeanwhile(t *testing.T) {
	s := start(t, options{})
	got := s.next(`{"client_id":"ana"}`)
	page := annotate.Item{Case: got.ID, Slice: got.Slices[0]}
	drawn := bytes.Repeat([]byte{1, 0}, 60)
	if _, err := s.project.Labels.Save(t.Context(), annotate.Anybody("ana"), annotate.Answer{Item: page, Mask: drawn, Action: annotate.Edited, Base: new(0)}); err != nil {
		t.Fatal(err)
	}
	a := s.want(409, s.put("/datastore/label?image="+got.ID, `{"client_id":"ana"}`, "m.nii.gz", s.mask(got.ID, ".nii.gz", full)))
	if !strings.Contains(string(a.body), "ana has saved version 1 of "+page.String()) || len(s.labelled(got.ID)) != 1 {
		t.Errorf("%s, labelled %v", a.body, s.labelled(got.ID))
	}
	file := s.mask(got.ID, ".nii.gz", func(k, i int) uint8 {
		if k == page.Slice {
			return 0
		}
		return full(k, i)
	})
	s.want(200, s.put("/datastore/label?image="+got.ID, `{"client_id":"ana"}`, "m.nii.gz", file))
	if now := s.labelled(got.ID); !slices.Equal(now, got.Slices) {
		t.Errorf("labelled %v, want %v", now, got.Slices)
	}
	if label, version, err := s.project.Labels.Label(t.Context(), annotate.Anybody("ana"), page); err != nil || version != 1 || !bytes.Equal(label, drawn) {
		t.Errorf("the page's label is version %d now: %v", version, err)
	}
}

// Who submits a case once more replaces what they have submitted, and no label that came since, unless they have loaded it.
func TestSubmittedAgain(t *testing.T) {
	s := start(t, options{})
	got := s.next(`{"client_id":"ana"}`)
	const all = `{"client_id":"ana","slices":"all"}`
	submit := func(status int, voxels func(k, i int) uint8) {
		t.Helper()
		s.want(status, s.put("/datastore/label?image="+got.ID, all, "m.nii.gz", s.mask(got.ID, ".nii.gz", voxels)))
	}
	submit(200, full)
	corrected := annotate.Item{Case: got.ID, Slice: 3}
	if _, err := s.project.Labels.Save(t.Context(), annotate.Anybody("ana"), annotate.Answer{Item: corrected, Mask: make([]uint8, 120), Action: annotate.Empty}); err != nil {
		t.Fatal(err)
	}
	half := func(slice int) func(k, i int) uint8 {
		return func(k, i int) uint8 {
			if k == slice {
				return uint8(i % 2)
			}
			return 1
		}
	}
	number := func(k int) int {
		_, version, err := s.project.Labels.Label(t.Context(), annotate.Anybody("ana"), annotate.Item{Case: got.ID, Slice: k})
		if err != nil {
			t.Fatal(err)
		}
		return version
	}
	submit(200, half(2))
	if number(2) != 2 || number(3) != 2 {
		t.Errorf("slice 2 has version %d, the one that was corrected on the page %d", number(2), number(3))
	}
	submit(409, half(3))
	s.want(200, s.do("GET", "/datastore/label?client_id=ana&label="+got.ID+"&tag=final", ""))
	submit(200, half(3))
	if number(3) != 3 {
		t.Errorf("version %d", number(3))
	}
}

// Two people read a slice independently: neither sees what the other has made of it, nor overwrites it.
func TestDoubleReading(t *testing.T) {
	people := []annotate.Account{{Name: "ana", Role: annotate.Annotator}, {Name: "ben", Role: annotate.Annotator}}
	s := start(t, options{people: people, change: func(c *annotate.Config) { c.DoubleReading = 1 }})
	ana, ben := s.logIn("ana", ""), s.logIn("ben", "")
	got := s.next(`{}`, ana...)
	s.want(200, s.put("/datastore/label?image="+got.ID, `{}`, "m.nii.gz", s.mask(got.ID, ".nii.gz", full), ana...))
	s.want(404, s.do("GET", "/datastore/label?label="+got.ID+"&tag=final", "", ben...))
	for range 3 { // ana is not asked for them again
		if other := s.next(`{}`, ana...); other.ID == got.ID && slices.ContainsFunc(other.Slices, func(k int) bool { return slices.Contains(got.Slices, k) }) {
			t.Fatalf("ana is asked again for %+v", other)
		}
	}
	var again given
	for again.ID != got.ID {
		again = s.next(`{}`, ben...)
	}
	for _, k := range got.Slices { // others may have come since
		if !slices.Contains(again.Slices, k) {
			t.Errorf("ben is asked for %v, ana was for %v", again.Slices, got.Slices)
		}
	}
	begin := maskOf(t, s.want(200, s.do("GET", "/datastore/label?label="+got.ID+"&tag=original", "", ben...)).body, ".nii.gz")
	if bytes.IndexByte(begin.Data, 1) >= 0 {
		t.Error("ben sees ana's reading")
	}
	s.want(200, s.put("/datastore/label?image="+got.ID, `{}`, "m.nii.gz", s.mask(got.ID, ".nii.gz", full), ben...))
	if now := s.labelled(got.ID); !slices.Equal(now, got.Slices) { // they agree
		t.Errorf("labelled %v", now)
	}
	if again := s.next(`{}`, ben...); again.ID == got.ID {
		t.Errorf("ben is given %s again", again.ID)
	}
}

// A label that is read a second time is hidden from the second reader, who begins without it.
func TestSecondReading(t *testing.T) {
	people := []annotate.Account{{Name: "ana", Role: annotate.Annotator}, {Name: "ben", Role: annotate.Annotator}}
	s := start(t, options{people: people})
	ana, ben := s.logIn("ana", ""), s.logIn("ben", "")
	got := s.next(`{}`, ana...)
	s.want(200, s.put("/datastore/label?image="+got.ID, `{}`, "m.nii.gz", s.mask(got.ID, ".nii.gz", full), ana...))
	for _, k := range got.Slices {
		if err := s.project.Queue.AskReading(t.Context(), annotate.Person{Name: "ana"}, annotate.Item{Case: got.ID, Slice: k}); err != nil {
			t.Fatal(err)
		}
	}
	var again given
	for range 10 {
		if again = s.next(`{}`, ben...); again.ID == got.ID {
			break
		}
	}
	if !slices.Contains(again.Slices, got.Slices[0]) {
		t.Fatalf("ben is not asked for %+v, but for %+v", got, again)
	}
	begin := maskOf(t, s.want(200, s.do("GET", "/datastore/label?label="+got.ID+"&tag=original", "", ben...)).body, ".nii.gz")
	if bytes.IndexByte(begin.Data, 1) >= 0 {
		t.Error("ben sees ana's label")
	}
	s.want(200, s.put("/datastore/label?image="+got.ID, `{}`, "m.nii.gz", s.mask(got.ID, ".nii.gz", full), ben...))
	versions, err := s.project.Labels.Versions(t.Context(), annotate.Anybody("x"), annotate.Item{Case: got.ID, Slice: got.Slices[0]})
	if last := versions[len(versions)-1]; err != nil || last.Action != "agreed" || last.Who != "ana" {
		t.Errorf("%+v, %v", versions, err)
	}
}

// The model's masks of the slices asked for come with a sample when the model has shown that it is good enough to draw for people; never in
// cases for validation.
func TestProposals(t *testing.T) {
	tests := []string{"c6", "c7", "c8"}
	s := start(t, options{data: bare(t, 9), change: func(c *annotate.Config) { c.ValidationShare, c.ValidationCases = 0.5, tests }})
	s.model()
	quality := func() bool {
		curves, err := s.project.Dashboard.Curves(t.Context())
		return err == nil && curves.Judged.Foreground >= 3
	}
	drawn, validation := false, false
	for range 60 {
		if drawn && validation {
			break
		}
		good := quality()
		got := s.next(`{"client_id":"uma"}`)
		if got.ID == "" {
			break
		}
		begin := maskOf(t, s.want(200, s.do("GET", "/datastore/label?label="+got.ID+"&tag=original", "")).body, ".nii.gz")
		file := s.mask(got.ID, ".nii.gz", ball)
		for _, k := range got.Slices {
			item := annotate.Item{Case: got.ID, Slice: k}
			there := bytes.IndexByte(begin.Slice(2, k), 1) >= 0
			if slices.Contains(tests, got.ID) {
				validation = true
				if there {
					t.Errorf("%s of a case for validation comes with a mask of the model", item)
				}
				continue
			}
			proposal, version, err := s.project.Predictor.Proposal(t.Context(), item, 0)
			if err != nil {
				t.Fatal(err)
			}
			if !good || bytes.IndexByte(proposal, 1) < 0 {
				continue
			}
			if !there {
				t.Errorf("%s comes without the mask of model %d", item, version)
				continue
			}
			drawn = true
			file = s.file(numbered(begin.Data, got.ID, s), ".nii.gz") // accepted as it is
		}
		s.want(200, s.put("/datastore/label?image="+got.ID, `{"client_id":"uma","label_info":[{"name":"structure","idx":1},{"name":"asked_slices","idx":2}]}`, "m.nii.gz", file))
		if drawn && !slices.Contains(tests, got.ID) {
			versions, err := s.project.Labels.Versions(t.Context(), annotate.Anybody("uma"), annotate.Item{Case: got.ID, Slice: got.Slices[0]})
			if err != nil || versions[0].Action != annotate.Accepted || versions[0].Proposal == nil {
				t.Errorf("a proposal that was submitted as it is: %+v, %v", versions, err)
			}
		}
	}
	if !drawn || !validation {
		t.Errorf("not tested: with a mask %v, of validation %v", drawn, validation)
	}
}

// Where others hold all that waits, the next sample comes as soon as there is one.
func TestSampleAfterAWhile(t *testing.T) {
	s := start(t, options{change: func(c *annotate.Config) { c.InitialSize, c.QuerySize = 3, 1 }})
	holder, held := "", given{}
	for n := range 5 {
		name := fmt.Sprint("person ", n)
		if got := s.next(fmt.Sprintf(`{"client_id":%q}`, name)); got.ID != "" {
			holder, held = name, got
		}
	}
	if holder == "" {
		t.Fatal("nobody was given anything")
	}
	go func() {
		time.Sleep(time.Second)
		for _, k := range held.Slices {
			s.project.Queue.Release(context.Background(), annotate.Anybody(holder), annotate.Item{Case: held.ID, Slice: k})
		}
	}()
	begin := time.Now()
	if got := s.next(`{"client_id":"ana"}`); got.ID != held.ID || time.Since(begin) < 500*time.Millisecond {
		t.Errorf("%+v after %v, and %s had %+v", got, time.Since(begin), holder, held)
	}
}

// What the Reviewer extension says of a case counts for the labels that its person has loaded, in their versions; an approval settles what was flagged.
func TestReviewIsOfWhatWasLoaded(t *testing.T) {
	s := start(t, options{})
	save := func(slice int) {
		t.Helper()
		if _, err := s.project.Labels.Save(t.Context(), annotate.Person{Name: "ana"}, annotate.Answer{Item: annotate.Item{Case: "c0", Slice: slice}, Mask: make([]byte, 120), Action: annotate.Empty}); err != nil {
			t.Fatal(err)
		}
	}
	judge := func(status int, what string) {
		t.Helper()
		s.want(status, s.do("PUT", "/datastore/updatelabelinfo?label=c0&tag=final", "params=%7B%22client_id%22%3A%22eva%22%2C%22segmentationMeta%22%3A%7B%22status%22%3A%22"+what+"%22%7D%7D",
			"content-type", "application/x-www-form-urlencoded"))
	}
	want := func(statuses ...string) {
		t.Helper()
		items, err := s.project.Reviews.Items(t.Context(), annotate.Anybody("x"), "c0")
		if err != nil || len(items) != len(statuses) {
			t.Fatalf("%+v, %v", items, err)
		}
		for i, l := range items {
			if l.Status != statuses[i] {
				t.Errorf("%s: %q, want %q", l.Item, l.Status, statuses[i])
			}
		}
	}
	save(1)
	save(2)
	s.want(200, s.do("GET", "/datastore/label?label=c0&tag=final", ""))
	save(2)
	save(3)
	judge(200, "flagged")
	want(annotate.ReviewDiscuss, "", "")
	judge(200, "approved")
	want(annotate.ReviewAccepted, "", "")
	judge(409, "approved")
	s.want(200, s.do("GET", "/datastore/label?label=c0&tag=final", ""))
	judge(200, "approved")
	want(annotate.ReviewAccepted, annotate.ReviewAccepted, annotate.ReviewAccepted)
}

// Only who has loaded a label replaces it: neither Next Sample, nor a request for the head of a file, nor a server that was started anew and remembers
// nothing tells that a person knows one.
func TestOnlyWhatWasLoadedIsReplaced(t *testing.T) {
	for how, tell := range map[string]func(s *site, name string){
		"loaded, and the server was started": func(s *site, name string) {
			s.want(200, s.do("GET", "/datastore/label?label="+name+"&tag=original", ""))
			s.want(200, s.do("GET", "/datastore/label?label="+name+"&tag=final", ""))
			s.restart()
		},
		"given": func(*site, string) {},
		"asked for the head": func(s *site, name string) {
			s.do("HEAD", "/datastore/label?label="+name+"&tag=original", "")
		},
	} {
		s := start(t, options{})
		got := s.next(`{"client_id":"ana"}`)
		s.next(`{"client_id":"ben"}`) // another case
		other := annotate.Item{Case: got.ID}
		for slices.Contains(got.Slices, other.Slice) {
			other.Slice++
		}
		save := func(mask []uint8) {
			t.Helper()
			if _, err := s.project.Labels.Save(t.Context(), annotate.Anybody("ben"), annotate.Answer{Item: other, Mask: mask, Action: annotate.Edited}); err != nil {
				t.Fatal(err)
			}
		}
		save(bytes.Repeat([]byte{1, 0}, 60))
		s.next(`{"client_id":"ana"}`)
		for again := s.next(`{"client_id":"ana"}`); again.ID != got.ID; {
			again = s.next(`{"client_id":"ana"}`)
		}
		tell(s, got.ID)
		drawn := bytes.Repeat([]byte{0, 1}, 60)
		save(drawn)
		submit := func(status int, there uint8) string {
			t.Helper()
			file := s.mask(got.ID, ".nii.gz", func(k, _ int) uint8 {
				if k == other.Slice {
					return there
				}
				return 1
			})
			return string(s.want(status, s.put("/datastore/label?image="+got.ID, `{"client_id":"ana","slices":"all"}`, "m.nii.gz", file)).body)
		}
		if text := submit(409, 1); !strings.Contains(text, "ben has saved version 2 of "+other.String()) {
			t.Errorf("%s: %s", how, text)
		}
		submit(200, 0)
		if label, version, err := s.project.Labels.Label(t.Context(), annotate.Anybody("x"), other); err != nil || version != 2 || !bytes.Equal(label, drawn) {
			t.Errorf("%s: the label is version %d now, %v", how, version, err)
		}
		if now := s.labelled(got.ID); len(now) != 6 {
			t.Errorf("%s: labelled %v", how, now)
		}
		s.want(200, s.do("GET", "/datastore/label?label="+got.ID+"&tag=original", ""))
		submit(200, 0)
		if _, version, err := s.project.Labels.Label(t.Context(), annotate.Anybody("x"), other); err != nil || version != 3 {
			t.Errorf("%s: loaded, and the label is version %d, %v", how, version, err)
		}
	}
}

// A server that was started anew does not know what a reviewer has seen: nothing is accepted until it is loaded again.
func TestReviewAfterARestart(t *testing.T) {
	s := start(t, options{})
	save := func() {
		t.Helper()
		if _, err := s.project.Labels.Save(t.Context(), annotate.Person{Name: "ana"}, annotate.Answer{Item: annotate.Item{Case: "c0", Slice: 1}, Mask: make([]uint8, 120), Action: annotate.Empty}); err != nil {
			t.Fatal(err)
		}
	}
	judge := func(status int, want string) string {
		t.Helper()
		a := s.want(status, s.do("PUT", "/datastore/updatelabelinfo?label=c0&tag=final", "params=%7B%22client_id%22%3A%22eva%22%2C%22segmentationMeta%22%3A%7B%22status%22%3A%22approved%22%7D%7D",
			"content-type", "application/x-www-form-urlencoded"))
		if items, err := s.project.Reviews.Items(t.Context(), annotate.Anybody("x"), "c0"); err != nil || items[0].Status != want {
			t.Errorf("%+v, %v, want %q", items, err, want)
		}
		return string(a.body)
	}
	save()
	s.want(200, s.do("GET", "/datastore/label?label=c0&tag=final", ""))
	s.restart()
	save()
	if text := judge(409, ""); !strings.Contains(text, "load them again") {
		t.Error(text)
	}
	s.want(200, s.do("GET", "/datastore/label?label=c0&tag=final", ""))
	judge(200, annotate.ReviewAccepted)
}
