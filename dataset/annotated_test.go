package dataset

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

const partly = `"labels": {"background": 0, "liver": 1, "spleen": 2, "kidney": 4}`

// annotatedCases writes cases a to e with the masks 0 1 2 4, 0 1, 0 2, 0 1 and 0.
func annotatedCases(t *testing.T, json string) string {
	dir := t.TempDir()
	for id, values := range map[string][]uint8{"a": {0, 1, 2, 4}, "b": {0, 1}, "c": {0, 2}, "d": {0, 1}, "e": {0}} {
		writeImage(t, grid(), 5, dir, "imagesTr", id+".nii.gz")
		writeMask(t, grid(), values, dir, "labelsTr", id+".nii.gz")
	}
	writeText(t, json, dir, "dataset.json")
	return dir
}

// What was looked for in a case is listed by names or values, in the map of all cases or with the case's entry.
func TestAnnotated(t *testing.T) {
	for name, json := range map[string]string{
		"map":     `{` + partly + `, "annotated": {"b": ["Liver"], "c": [2, 4], "d": ["liver", "spleen", "kidney"], "e": []}}`,
		"numbers": `{` + partly + `, "annotated": {"b": [1], "c": ["4", "spleen"], "d": null, "e": ["background"]}}`,
		"entries": `{` + partly + `, "training": [{"image": "imagesTr/a.nii.gz", "label": "labelsTr/a.nii.gz"}, {"image": "imagesTr/b.nii.gz", "label": "labelsTr/b.nii.gz", "annotated": ["liver"]},
			{"image": "imagesTr/c.nii.gz", "label": "labelsTr/c.nii.gz", "annotated": [2, "kidney"]}, {"image": "imagesTr/d.nii.gz", "label": "labelsTr/d.nii.gz"},
			{"image": "imagesTr/e.nii.gz", "label": "labelsTr/e.nii.gz", "annotated": []}]}`,
	} {
		dir := annotatedCases(t, json)
		d := open(t, dir)
		want := map[string][]bool{"a": nil, "b": {false, false, true, true}, "c": {false, true, false, false}, "d": nil, "e": {false, true, true, true}}
		for _, c := range d.Cases {
			if !slices.Equal(c.Unannotated, want[c.ID]) {
				t.Errorf("%s: case %s: %v, want %v", name, c.ID, c.Unannotated, want[c.ID])
			}
		}
		if got := d.Partly(); !reflect.DeepEqual(got, map[string][]string{"b": {"spleen", "kidney"}, "c": {"liver"}, "e": {"liver", "spleen", "kidney"}}) {
			t.Errorf("%s: partly %v", name, got)
		}
		s, err := Load(t.Context(), d, []int{0, 1, 2, 3, 4}, d.Preprocess(2), nil)
		if err != nil || len(s.LeftOut) > 0 {
			t.Fatal(err, s.LeftOut)
		}
		for i, item := range s.Items {
			if !slices.Equal(s.Unannotated[i], want[d.Cases[item.Case].ID]) {
				t.Errorf("%s: %s: %v", name, s.Names[i], s.Unannotated[i])
			}
		}
		if l := s.Labelled(); len(l.Unannotated) != len(l.Items) {
			t.Errorf("%s: %d of %d", name, len(l.Unannotated), len(l.Items))
		}
		values, err := AnnotatedValues(dir)
		wantValues := map[string][]uint8{"b": {1}, "c": {2, 4}, "e": {}}
		if name == "map" {
			wantValues["d"] = []uint8{1, 2, 4}
		}
		if err != nil || !reflect.DeepEqual(values, wantValues) {
			t.Errorf("%s: values %v, %v, want %v", name, values, err, wantValues)
		}
		r, err := Inspect(t.Context(), d, nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		r.WriteText(&text)
		if strings.Count(text.String(), "n/a") != 6 {
			t.Errorf("%s: %s", name, text.String())
		}
		whole, err := OpenWith(t.Context(), dir, OpenOptions{WholeMasks: true})
		if err != nil || ids(whole) != "a* b c d* e" || whole.Partly() != nil {
			t.Errorf("%s: whole masks: %s, %v", name, ids(whole), err)
		}
	}
}

func TestAnnotatedFaults(t *testing.T) {
	d := open(t, annotatedCases(t, `{`+partly+`, "annotated": {"b": ["heart"], "c": [3], "x": [1], "a": ["liver"]}}`))
	wantProblem(t, d.Problems, "b", true, `annotated: there is no class "heart"; there are liver, spleen, kidney`)
	wantProblem(t, d.Problems, "c", true, `annotated: there is no class "3"`)
	wantProblem(t, d.Problems, "", false, `annotated: there is no case "x"`)
	if ids(d) != "a* d* e*" {
		t.Errorf("cases %s", ids(d))
	}
	// The mask of a holds what nobody is said to have looked for: which of the two is right is not known.
	s, err := Load(t.Context(), d, []int{0, 1, 2}, d.Preprocess(2), nil)
	if err != nil {
		t.Fatal(err)
	}
	wantProblem(t, s.LeftOut, "a", true, "labelsTr/a.nii.gz", "the mask holds spleen, which dataset.json does not list as annotated")
	for _, json := range []string{`{"annotated": {"b": "liver"}}`, `{"annotated": {"b": [["liver"]]}}`, `{"annotated": ["b"]}`} {
		if _, err := Open(annotatedCases(t, json)); err == nil || !strings.Contains(err.Error(), "annotated") {
			t.Errorf("%s: %v", json, err)
		}
	}
	// Without labels the values are the classes, and lists of values can be read.
	d = open(t, annotatedCases(t, `{"annotated": {"b": [1], "c": [2, 4]}}`))
	if got := d.Partly(); !reflect.DeepEqual(got, map[string][]string{"b": {"value 2", "value 4"}, "c": {"value 1"}}) {
		t.Errorf("%v", got)
	}
}
