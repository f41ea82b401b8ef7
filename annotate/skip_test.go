package annotate_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/annotate/store"
)

// A slice has a label or is skipped, never both: what has a label would be learnt from and exported all the same.
func TestLabelledIsNotSkipped(t *testing.T) {
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 4), Dir: filepath.Join(t.TempDir(), "project"), Change: small})
	any := annotate.Person{Name: "any", Adjudicator: true}
	item, other := annotate.Item{Case: "c1", Slice: 2}, annotate.Item{Case: "c1", Slice: 3}
	save(t, p, item, p.mask(item))
	skipped := func() int { return len(must(p.Store().Skipped(t.Context()))) }
	skip := func(what string) {
		t.Helper()
		if err := p.Queue.Skip(t.Context(), any, item, "artefact", 1); !errors.Is(err, annotate.ErrConflict) {
			t.Errorf("%s: %v", what, err)
		}
		if s := must(p.Dashboard.Summary(t.Context())); skipped() != 0 || s.Skipped != 0 || s.Labelled != 1 {
			t.Errorf("%s: %d are skipped, %d labelled", what, s.Skipped, s.Labelled)
		}
	}
	skip("labelled")
	if err := p.Reviews.Item(t.Context(), any, item, annotate.Judgement{Status: annotate.ReviewReturned, Note: "look again"}); err != nil {
		t.Fatal(err)
	}
	skip("sent back")
	if row, err := p.Store().Row(item); err != nil || row.Purpose != store.ForCorrection {
		t.Errorf("it is asked for no longer: %+v, %v", row, err)
	}
	// As an older program has stored it.
	if err := p.Store().Skip(t.Context(), item, "ana", "artefact", 1, nil); err != nil || skipped() != 0 {
		t.Errorf("%d are skipped, %v", skipped(), err)
	}
	// What comes back from files is labelled.
	if err := p.Queue.Skip(t.Context(), any, other, "artefact", 1); err != nil || skipped() != 1 {
		t.Fatal(err, skipped())
	}
	if err := p.Store().Recover(t.Context(), "taken over", []store.Recovered{{Item: other, Action: store.ActionOutside, Mask: p.mask(other)}}); err != nil || skipped() != 0 {
		t.Errorf("%d are skipped, %v", skipped(), err)
	}
}
