package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// drawn writes masks of one scan in every format.
type drawn struct {
	t      *testing.T
	dir    string
	series *dicom.Series
}

func newDrawn(t *testing.T) drawn {
	t.Helper()
	series, _, err := dicom.Find(filepath.Join("..", "..", "volume", "testdata", "ct"), "")
	if err != nil {
		t.Fatal(err)
	}
	return drawn{t, t.TempDir(), series}
}

// write writes a mask with an organ and a lesion, which have the values of names: names[0] is called 1, and so on. The kind is that of the
// file: rs for RTSTRUCT, dcm for SEG, else the extension. Numbers have no names but in dataset.json.
func (d drawn) write(path, kind string, names ...string) string {
	d.t.Helper()
	path = filepath.Join(d.dir, path)
	s := &volume.Segmentation{Grid: d.series.Grid, Layers: [][]uint8{make([]uint8, d.series.Len())}}
	for n, name := range names {
		s.Segments = append(s.Segments, volume.Segment{Name: name, Value: uint8(n + 1)})
		for v := range s.Layers[0] {
			at := s.Size.Voxel(v)
			organ := at[0] > 2 && at[0] < 10 && at[1] > 1 && at[1] < 9 && at[2] > 0
			lesion := at[0] > 10 && at[0] < 13 && at[1] > 4 && at[1] < 7 && at[2] == 2
			if is := strings.EqualFold(strings.TrimSpace(name), "organ") && name != "ORGAN"; is && organ || !is && lesion { // ORGAN is a twin that lies elsewhere
				s.Layers[0][v] = uint8(n + 1)
			}
		}
	}
	err := os.MkdirAll(filepath.Dir(path), 0o777)
	if err == nil {
		switch kind {
		case "rs":
			path += ".dcm"
			err = dicom.WriteContours(path, s, d.series, time.Unix(0, 0), dicom.Codes{})
		case "dcm":
			path += ".dcm"
			err = dicom.WriteSegmentation(path, s, d.series, time.Unix(0, 0))
		case "seg.nrrd":
			path += "." + kind
			err = volume.WriteSegmentation(path, s)
		default:
			path += "." + kind
			err = volume.WriteMask(path, &volume.Mask{Grid: s.Grid, Data: s.Layers[0]})
		}
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return path
}

func (d drawn) text(path, text string) {
	d.t.Helper()
	path = filepath.Join(d.dir, path)
	err := os.MkdirAll(filepath.Dir(path), 0o777)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o666)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d drawn) at(path string) string { return filepath.Join(d.dir, path) }

// perfect checks that a comparison finds the classes of these names and no error in them.
func perfect(t *testing.T, what string, s metrics.Summary, names ...string) {
	t.Helper()
	var found []string
	for _, c := range s.Classes {
		found = append(found, c.Name)
		if c.Dice3D.Value != 1 || c.HD95.Value != 0 {
			t.Errorf("%s: %s has Dice %v", what, c.Name, c.Dice3D.Value)
		}
	}
	if !slices.Equal(found, names) {
		t.Errorf("%s: classes %q, want %q", what, found, names)
	}
}

// The names of either side stand in the table, in JSON and in CSV, those of the references first, and decide what is compared: RTSTRUCT, SEG and
// .seg.nrrd against each other and against masks of numbers, as files and as folders.
func TestEvaluateNames(t *testing.T) {
	d := newDrawn(t)
	kinds := []string{"rs", "dcm", "seg.nrrd", "nii.gz"}
	for _, ref := range kinds {
		for _, pred := range kinds {
			what := pred + " against " + ref
			order, names := []string{"lesion", "Organ"}, []string{"organ", "lesion"}
			if pred == "nii.gz" || ref == "nii.gz" { // numbers are those of the named side
				order = []string{"organ", "lesion"}
			}
			if pred == ref && ref == "nii.gz" {
				names = []string{"class 1", "class 2"}
			}
			folder := strings.ReplaceAll(what, " ", "_")
			p, r := d.write(folder+"/pred/p1", pred, order...), d.write(folder+"/ref/p1", ref, "organ", "lesion")
			d.write(folder+"/pred/p2", pred, order...)
			d.write(folder+"/ref/p2", ref, "organ", "lesion")
			on := []string{"--image", filepath.Join("..", "..", "volume", "testdata", "ct")}
			if pred != "rs" || ref != "rs" {
				on = nil // the other mask's voxels
			} else if text := refusal(t, "--pred", p, "--ref", r); !strings.Contains(text, "structure set (RTSTRUCT), which holds no slices") || !strings.Contains(text, "--image") {
				t.Errorf("%s: %q", what, text)
			}
			s, notes := evaluated(t, append([]string{"--pred", p, "--ref", r}, on...)...)
			perfect(t, what, s, names...)
			if told := strings.Contains(notes, "the references have no names: their values are taken as the predictions number their segments (1 organ, 2 lesion)"); told != (ref == "nii.gz" && pred != ref) {
				t.Errorf("%s: told %q", what, notes)
			}
			s, _ = evaluated(t, append([]string{"--pred", d.at(folder + "/pred"), "--ref", d.at(folder + "/ref")}, on...)...)
			perfect(t, what+", folders", s, names...)
			if s.Cases != 2 {
				t.Errorf("%s: %d cases", what, s.Cases)
			}
		}
	}
	args := []string{"evaluate", "--pred", d.at("dcm_against_rs/pred/p1.dcm"), "--ref", d.at("dcm_against_rs/ref/p1.dcm")}
	if table := command(t, args...); !strings.Contains(table, "p1     organ    1.000") || !strings.Contains(table, "mean   lesion   1.000") {
		t.Errorf("table:\n%s", table)
	}
	rows, err := csv.NewReader(strings.NewReader(command(t, append(args, "--csv")...))).ReadAll()
	if err != nil || len(rows) != 5 || !slices.Equal(rows[2][:5], []string{"p1", "lesion", "2", "mm", "1"}) || !slices.Equal(rows[3][:5], []string{"mean", "organ", "1", "mm", "1"}) ||
		rows[0][4] != "dice_3d" || len(rows[0]) < 17 || rows[0][16] != "lesion_f1" || rows[2][16] != "1" || rows[2][13] != "1" {
		t.Errorf("CSV %q, %v", rows, err)
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), nil, &out, &errs, append(args, "--csv", "--json")); code != misuse {
		t.Errorf("--csv --json: %d", code)
	}
}

// A dataset.json names the values of the masks beside it, and of the folder below; where both sides have one, and where the numbers differ, names
// decide.
func TestEvaluateNamesOfDatasetJSON(t *testing.T) {
	d := newDrawn(t)
	straight, turned := `{"labels": {"background": 0, "organ": 1, "lesion": 2}}`, "\xef\xbb\xbf"+`{"labels": {"0": "background", "1": "Lesion", "2": "ORGAN"}}`
	for _, dir := range []string{"set/labelsTr", "set/labels", "plain", "set2/labels/final"} {
		r := d.write(dir+"/p1", "nii.gz", "organ", "lesion")
		d.write("numbers/p1", "nrrd", "organ", "lesion")
		d.write("turned/p1", "mha", "lesion", "organ")
		above := dir
		if at := strings.Index(dir, "/"); at > 0 {
			above = dir[:at]
		}
		d.text(above+"/dataset.json", straight)
		d.text("turned/dataset.json", turned)
		for _, pred := range []string{"numbers", "turned"} {
			for _, ref := range []string{r, filepath.Dir(r)} {
				s, notes := evaluated(t, "--pred", d.at(pred), "--ref", filepath.Dir(r))
				perfect(t, pred+" against "+ref, s, "organ", "lesion")
				if notes != "" {
					t.Errorf("%s: %s", ref, notes)
				}
			}
		}
		s, _ := evaluated(t, "--pred", d.at("turned/p1.mha"), "--ref", r)
		perfect(t, dir, s, "organ", "lesion")
	}
	// The predictions' own names alone.
	d.write("bare/p1", "nii.gz", "lesion", "organ")
	s, _ := evaluated(t, "--pred", d.at("turned"), "--ref", d.at("bare"))
	perfect(t, "names of predictions", s, "Lesion", "ORGAN")
	// Named references, numbers that the predictions' dataset.json names.
	d.write("named/p1", "rs", "organ", "lesion")
	s, _ = evaluated(t, "--pred", d.at("turned"), "--ref", d.at("named"))
	perfect(t, "named references", s, "organ", "lesion")
	// What is ignored and annotated counts for a folder of masks as for the data set that it is of.
	d.write("set/imagesTr/p1", "nii.gz")
	d.text("set/dataset.json", `{"labels": {"background": 0, "organ": 1, "ignore": 2}, "annotated": {"p1": []}}`)
	s, _ = evaluated(t, "--pred", d.at("numbers"), "--ref", d.at("set/labelsTr"))
	if len(s.Classes) != 1 || s.Classes[0].Dice3D.N != 0 || s.Classes[0].Dice3D.Undefined != 1 {
		t.Errorf("ignored and not annotated: %+v", s.Classes)
	}
}

// Names that contradict each other are faults that are listed, not results.
func TestEvaluateNamesConflict(t *testing.T) {
	d := newDrawn(t)
	listed := func(want string, pred, ref string, args ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		code := run(t.Context(), nil, &out, &errs, append([]string{"evaluate", "--json", "--pred", d.at(pred), "--ref", d.at(ref)}, args...))
		var e struct {
			LeftOut []struct{ Case, Text string } `json:"left_out"`
		}
		if out.Len() > 0 {
			if err := json.Unmarshal(out.Bytes(), &e); err != nil {
				t.Fatal(err)
			}
		}
		if code != failed || !strings.Contains(errs.String(), want) || out.Len() > 0 && (len(e.LeftOut) != 1 || !strings.Contains(e.LeftOut[0].Text, want)) {
			t.Errorf("%s against %s: code %d, left out %v, %s; want %q", pred, ref, code, e.LeftOut, errs.String(), want)
		}
	}
	d.write("ref/p1", "rs", "organ", "lesion")
	d.write("ref/p2", "dcm", "lesion", "organ")
	d.write("good/p1", "seg.nrrd", "organ", "lesion")
	d.write("good/p2", "seg.nrrd", "organ", "lesion")
	d.write("other/p1", "seg.nrrd", "organ", "lesion")
	d.write("other/p2", "rs", "organ", "cyst")
	listed(`its segment "cyst" is none of the references' classes (organ, lesion): rename it`, "other", "ref")
	// Numbers that a dataset.json calls otherwise, or not at all.
	d.write("numbers/p1", "nii.gz", "organ", "lesion")
	d.write("numbers/p2", "nii.gz", "organ", "lesion")
	d.text("numbers/dataset.json", `{"labels": {"background": 0, "organ": 1, "cyst": 2}}`)
	listed(`"cyst" is none of the references' classes (organ, lesion): rename it in`, "numbers/p1.nii.gz", "ref/p1.dcm")
	d.text("numbers/dataset.json", `{"labels": {"background": 0, "organ": 1}}`)
	listed("its label value 2 has no name in", "numbers/p1.nii.gz", "ref/p1.dcm")
	d.text("numbers/dataset.json", `{"labels": `)
	listed("dataset.json: unexpected end", "numbers/p1.nii.gz", "ref/p1.dcm")
	listed("dataset.json: unexpected end", "good/p1.seg.nrrd", "numbers/p1.nii.gz")
	// References of which some are numbers while the others disagree.
	d.write("ref/p3", "nii.gz", "organ", "lesion")
	d.write("good/p3", "seg.nrrd", "organ", "lesion")
	listed("p3.nii.gz: its values are numbers, whose meaning differs between the references", "good", "ref")
	// Predictions that disagree, and nothing else has names.
	d.write("bare/p1", "nii.gz", "organ", "lesion")
	d.write("bare/p2", "nii.gz", "organ", "lesion")
	d.write("mixed/p1", "rs", "organ", "lesion")
	d.write("mixed/p2", "seg.nrrd", "lesion", "organ")
	listed("the predictions number their segments differently, and the references have no names", "mixed", "bare")
	d.text("bare/dataset.json", `{"labels": {"background": 0, "organ": 1, "lesion": 2}}`)
	s, _ := evaluated(t, "--pred", d.at("mixed"), "--ref", d.at("bare"))
	perfect(t, "named at last", s, "organ", "lesion")
}

// Contours are filled on what they were drawn on: the given image, that of the case in the data set, or the series beside them.
func TestEvaluateContours(t *testing.T) {
	d := newDrawn(t)
	ct := filepath.Join("..", "..", "volume", "testdata", "ct")
	set := func(dir string) {
		for _, p := range []string{"p1", "p2"} {
			if err := os.CopyFS(d.at(filepath.Join(dir, p)), os.DirFS(ct)); err != nil {
				t.Fatal(err)
			}
		}
	}
	set("set")
	d.write("set/labels/p1", "rs", "organ", "lesion")
	d.write("set/p2/RS", "rs", "organ", "lesion")
	for _, p := range []string{"p1", "p2"} {
		d.write("preds/"+p, "rs", "lesion", "organ")
	}
	s, _ := evaluated(t, "--pred", d.at("preds"), "--ref", d.at("set"))
	perfect(t, "data set of series", s, "organ", "lesion")
	s, _ = evaluated(t, "--pred", d.at("preds/p1.dcm"), "--ref", d.at("set/p2/RS.dcm"))
	perfect(t, "series beside", s, "organ", "lesion")
	set("images")
	d.write("refs/p1", "rs", "organ", "lesion")
	d.write("refs/p2", "rs", "lesion", "organ")
	s, _ = evaluated(t, "--pred", d.at("preds"), "--ref", d.at("refs"), "--image", d.at("images"))
	perfect(t, "folder of images", s, "organ", "lesion")
	if s.Cases != 2 {
		t.Errorf("%d cases", s.Cases)
	}
	command(t, "convert", d.at("images/p1"), d.at("p1.nii.gz"))
	s, _ = evaluated(t, "--pred", d.at("preds/p1.dcm"), "--ref", d.at("refs/p1.dcm"), "--image", d.at("p1.nii.gz"))
	perfect(t, "image of another format", s, "organ", "lesion")
	// In a data set of NIfTI images too, where they are masks for everything else as well.
	for _, p := range []string{"p1", "p2"} {
		d.write("nifti/labels/"+p, "rs", "organ", "lesion")
		d.text("nifti/images/.keep", "")
		command(t, "convert", d.at("images/p1"), d.at("nifti/images/"+p+".nii.gz"))
	}
	s, _ = evaluated(t, "--pred", d.at("preds"), "--ref", d.at("nifti"))
	perfect(t, "data set of NIfTI", s, "organ", "lesion")
	if text := command(t, "inspect", d.at("nifti")); !strings.Contains(text, "2 cases, 2 with a mask") || !strings.Contains(text, "classes: background, organ, lesion") {
		t.Errorf("inspect: %s", text)
	}

	// Against a mask that is stored along other axes, or cropped.
	nii := d.write("p1", "nii.gz", "organ", "lesion")
	m, err := volume.ReadMask(nii)
	if err != nil {
		t.Fatal(err)
	}
	for _, orientation := range []string{"SAR", "PIL", "RSA"} {
		turned, err := m.Turned(orientation)
		if err != nil {
			t.Fatal(err)
		}
		path := d.at(orientation + ".nrrd")
		if err := volume.WriteMask(path, turned); err != nil {
			t.Fatal(err)
		}
		for _, more := range [][]string{nil, {"--by-index"}} {
			s, _ = evaluated(t, append([]string{"--pred", path, "--ref", d.at("refs/p1.dcm")}, more...)...)
			perfect(t, orientation, s, "organ", "lesion")
			s, _ = evaluated(t, append([]string{"--pred", d.at("refs/p1.dcm"), "--ref", path}, more...)...)
			perfect(t, orientation, s, "organ", "lesion")
		}
	}
	part := &volume.Mask{Grid: m.Grid}
	part.Size[2] = 2 // the organ goes on in the other slices, which the prediction lacks
	part.Data = m.Data[:part.Len()]
	path := d.at("part.nrrd")
	if err := volume.WriteMask(path, part); err != nil {
		t.Fatal(err)
	}
	s, _ = evaluated(t, "--pred", path, "--ref", d.at("refs/p1.dcm"))
	if organ := s.Classes[0]; !near(organ.Recall.Value, 1/3.0) || organ.Precision.Value != 1 {
		t.Errorf("part: %+v", organ)
	}
	// A picture has no place.
	white := writeSquare(t, d.at("white.png"), 16, 255)
	if text := refusal(t, "--pred", white, "--ref", d.at("refs/p1.dcm")); !strings.Contains(text, "--image PATH") {
		t.Errorf("%q", text)
	}
	if text := refusal(t, "--pred", path, "--ref", d.at("refs/p1.dcm"), "--image", d.at("none")); !strings.Contains(text, "--image: ") {
		t.Errorf("%q", text)
	}
}

// Names are compared as people read them: letter case, blanks and how accents are encoded do not count; two classes that differ only in these are
// told apart by the exact name. Colours are names.
func TestEvaluateNamesAsRead(t *testing.T) {
	d := newDrawn(t)
	d.write("ref/a", "seg.nrrd", "Organ", "L\u00e4sion")
	d.write("pred/a", "rs", "La\u0308sion", " ORGAN ")
	s, _ := evaluated(t, "--pred", d.at("pred"), "--ref", d.at("ref"))
	perfect(t, "accents", s, "Organ", "L\u00e4sion")
	d.write("twins/a", "nii.gz", "organ", "lesion")
	d.text("twins/dataset.json", `{"labels": {"background": 0, "organ": 1, "ORGAN": 2}}`)
	d.write("exact/a", "seg.nrrd", "organ", "ORGAN")
	d.write("folded/a", "seg.nrrd", "Organ")
	for range 5 { // whatever the order of the names in memory
		s, _ = evaluated(t, "--pred", d.at("exact"), "--ref", d.at("twins"))
		if s.Classes[0].Dice3D.Value != 1 || s.Classes[0].Name != "organ" || s.Classes[1].Name != "ORGAN" {
			t.Fatalf("twins: %+v", s.Classes)
		}
	}
	if text := refusal(t, "--pred", d.at("folded/a.seg.nrrd"), "--ref", d.at("twins/a.nii.gz")); !strings.Contains(text, "fits several of the references' classes (organ, ORGAN)") {
		t.Errorf("%q", text)
	}
	for _, name := range []string{"ref", "pred"} {
		p := image.NewRGBA(image.Rect(0, 0, 8, 8))
		for v := range 64 {
			p.Set(v%8, v/8, color.Black)
		}
		p.Set(2, 2, color.RGBA{R: 255, A: 255})
		if name == "ref" { // else red would have another number
			p.Set(5, 5, color.RGBA{G: 255, A: 255})
		}
		f, err := os.Create(d.at(name + ".png"))
		if err == nil {
			err = png.Encode(f, p)
			f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s, _ = evaluated(t, "--pred", d.at("pred.png"), "--ref", d.at("ref.png"))
	if len(s.Classes) != 2 || s.Classes[0].Name != "#00ff00" || s.Classes[0].Dice3D.Value != 0 || s.Classes[1].Name != "#ff0000" || s.Classes[1].Dice3D.Value != 1 {
		t.Errorf("colours: %+v", s.Classes)
	}
	// A colour that only the prediction has is an error of the prediction, and no fault.
	s, _ = evaluated(t, "--pred", d.at("ref.png"), "--ref", d.at("pred.png"))
	if len(s.Classes) != 2 || s.Classes[0].Name != "#ff0000" || s.Classes[0].Dice3D.Value != 1 || s.Classes[1].Name != "#00ff00" || s.Classes[1].Dice3D.Value != 0 {
		t.Errorf("another colour: %+v", s.Classes)
	}
}

// DICOM masks of two patients are compared, for one of them may be anonymised, but not without a word.
func TestEvaluateOtherPatient(t *testing.T) {
	d := newDrawn(t)
	ref, pred := d.write("ref", "dcm", "organ"), d.write("pred", "dcm", "organ")
	const told = "are of two patients, as their PatientIDs say"
	if _, notes := evaluated(t, "--pred", pred, "--ref", ref); strings.Contains(notes, told) {
		t.Errorf("one patient: %s", notes)
	}
	head, err := dicom.ReadHead(pred)
	if err != nil || head.Patient == "" {
		t.Fatal(head, err)
	}
	data, err := os.ReadFile(pred)
	if err == nil {
		other := strings.Repeat("X", len(head.Patient))
		err = os.WriteFile(pred, bytes.ReplaceAll(data, []byte(head.Patient), []byte(other)), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	if s, notes := evaluated(t, "--pred", pred, "--ref", ref); !strings.Contains(notes, told) || s.Classes[0].Dice3D.Value != 1 {
		t.Errorf("two patients: %v, %s", s.Classes, notes)
	}
}

// Masks of one size whose headers place them apart are compared where these say, as ever, but not without a word.
func TestEvaluateShiftedHeader(t *testing.T) {
	dir := t.TempDir()
	g := ras([3]int{12, 10, 6})
	ref := writeMask(t, filepath.Join(dir, "ref.nii.gz"), g, 1, [3]int{2, 2, 2}, [3]int{6, 6, 4})
	g.Affine[0][3] += 2 * 0.8
	pred := writeMask(t, filepath.Join(dir, "pred.nii.gz"), g, 1, [3]int{2, 2, 2}, [3]int{6, 6, 4})
	s, notes := evaluated(t, "--pred", pred, "--ref", ref)
	if s.Classes[0].Dice3D.Value != 0.5 || !strings.Contains(notes, "their headers place them apart") || !strings.Contains(notes, "--by-index") {
		t.Errorf("Dice %v, %s", s.Classes[0].Dice3D.Value, notes)
	}
	if s, notes := evaluated(t, "--pred", pred, "--ref", ref, "--by-index"); s.Classes[0].Dice3D.Value != 1 || notes != "" {
		t.Errorf("by index: %v, %s", s.Classes[0].Dice3D.Value, notes)
	}
}
