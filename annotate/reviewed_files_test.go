package annotate_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/store"
	"github.com/nextslice/nextslice/volume"
)

// What reviewers say of labels stands in labels/project.json and labels/labelled.csv, also where the list is of an older program; the masks stay as they are, and what another
// program has changed in them is not moved.
func TestReviewsInTheFiles(t *testing.T) {
	o, _ := labelled(t)
	o.Change = nil
	item := annotate.Item{Case: "c0", Slice: 2}
	review := func(item annotate.Item) string {
		l := must(store.ReadLedger(o.Dir))
		for _, label := range l.Cases[item.Case].Labels {
			if label.Slice == item.Slice {
				return label.Review
			}
		}
		return "none"
	}
	path := filepath.Join(o.Dir, "labels", "final", "c0.nii.gz")
	before := must(os.ReadFile(path))
	eva := annotate.Anybody("eva")
	p := open(t, o)
	for _, status := range []string{annotate.ReviewRejected, annotate.ReviewReturned, annotate.ReviewDiscuss, annotate.ReviewAccepted, annotate.ReviewRejected} {
		if err := p.Reviews.Item(t.Context(), eva, item, annotate.Judgement{Status: status, Note: "why"}); err != nil {
			t.Fatal(err)
		}
		until(t, status, func() bool {
			list := string(must(os.ReadFile(filepath.Join(o.Dir, "labels", "labelled.csv"))))
			return review(item) == status && strings.Count(list, ","+status+",eva,why\n") == 1
		})
	}
	if err := p.Reviews.Item(t.Context(), eva, item, annotate.Judgement{Status: annotate.ReviewRejected, Note: "another"}); err != nil {
		t.Fatal(err)
	}
	until(t, "another note", func() bool {
		return strings.Count(string(must(os.ReadFile(filepath.Join(o.Dir, "labels", "labelled.csv")))), ",rejected,eva,another\n") == 1
	})
	if !slices.Equal(must(os.ReadFile(path)), before) {
		t.Error("the mask was written again")
	}
	p.close()

	l := must(store.ReadLedger(o.Dir))
	l.Reviews = false
	for i := range l.Cases["c0"].Labels {
		l.Cases["c0"].Labels[i].Review = ""
	}
	if err := l.Write(o.Dir); err != nil {
		t.Fatal(err)
	}
	m := must(volume.ReadMask(path))
	m.Data[0] = 1 - m.Data[0]
	if err := volume.WriteMask(path, m); err != nil {
		t.Fatal(err)
	}
	edited := must(os.ReadFile(path))
	p = open(t, o)
	until(t, "the list of an older program has the review", func() bool { return review(item) == annotate.ReviewRejected && must(store.ReadLedger(o.Dir)).Reviews })
	other := annotate.Item{Case: "c0", Slice: 3}
	if err := p.Reviews.Item(t.Context(), eva, other, annotate.Judgement{Status: annotate.ReviewAccepted}); err != nil {
		t.Fatal(err)
	}
	until(t, "the other has its review", func() bool { return review(other) == annotate.ReviewAccepted })
	if !slices.Equal(must(os.ReadFile(path)), edited) {
		t.Error("a mask that another program has changed was replaced by a review")
	}
	// A new label is reviewed anew.
	save(t, p, item, make([]uint8, 120))
	until(t, "the new label waits", func() bool { return review(item) == "" })
}

// A label that comes back from labels/final alone keeps what a reviewer had said of it: one that was rejected is not learnt from.
func TestRestoredLabelsKeepTheirReviews(t *testing.T) {
	o, _ := labelled(t)
	o.Change = nil
	p := open(t, o)
	eva := annotate.Anybody("eva")
	want := map[annotate.Item]string{{Case: "c0", Slice: 2}: annotate.ReviewRejected, {Case: "c1", Slice: 0}: annotate.ReviewReturned, {Case: "c1", Slice: 1}: annotate.ReviewAccepted}
	for item, status := range want {
		if err := p.Reviews.Item(t.Context(), eva, item, annotate.Judgement{Status: status, Note: "why"}); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the list has the reviews", func() bool {
		n := 0
		for _, c := range must(store.ReadLedger(o.Dir)).Cases {
			for _, l := range c.Labels {
				if l.Review != "" {
					n++
				}
			}
		}
		return n == len(want)
	})
	p.close()
	for _, name := range []string{"project.db", "project.seal", "backups"} {
		if err := os.RemoveAll(filepath.Join(o.Dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := annotate.Restore(t.Context(), o.Dir, "", time.Now); err != nil {
		t.Fatal(err)
	}
	p = open(t, o)
	for _, l := range must(p.Store().LabelList(t.Context(), "")) {
		if l.Status() != want[l.Item] {
			t.Errorf("%s: %q, want %q", l.Item, l.Status(), want[l.Item])
		}
	}
	learnt, err := p.Store().Learnable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for item := range learnt {
		if want[item] == annotate.ReviewRejected {
			t.Errorf("%s is learnt from", item)
		}
	}
}
