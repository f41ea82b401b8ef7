//go:build cgo

package main

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/nextslice/nextslice/annotate/script"
	"github.com/nextslice/nextslice/pacs"
	"github.com/nextslice/nextslice/pacs/pacstest"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// ran are the outputs of all commands of a test, which must tell nobody's name and no secret.
type ran struct {
	*testing.T
	all strings.Builder
}

func (r *ran) command(want int, args ...string) string {
	r.Helper()
	var out, errs bytes.Buffer
	if code := run(r.Context(), strings.NewReader(""), &out, &errs, args); code != want {
		r.Fatalf("%v: exit code %d: %s%s", args, code, out.String(), errs.String())
	}
	text := out.String() + errs.String()
	r.all.WriteString(text)
	return text
}

// The whole way against a real server: store, find, pull, label two slices through the API, train, predict, push, and pull back what was
// pushed: every voxel is equal. Nothing that was printed or recorded has a patient's name or the password in it.
func TestRoundTripWithOrthanc(t *testing.T) {
	root := pacstest.Orthanc(t)
	t.Setenv("NEXTSLICE_PACS_USER", pacstest.OrthancUser)
	t.Setenv("NEXTSLICE_PACS_PASSWORD", pacstest.OrthancPassword)
	r := &ran{T: t}
	work := t.TempDir()
	data, masks := filepath.Join(work, "data"), filepath.Join(work, "masks")
	client, err := pacs.New(root, pacs.Access{User: pacstest.OrthancUser, Password: pacstest.OrthancPassword})
	if err != nil {
		t.Fatal(err)
	}

	// Store: two patients, and a structured report that is no image.
	files := append(pacstest.Slices(t, 1, 1, 6, nil), pacstest.Slices(t, 2, 1, 6, map[tag.Tag]any{
		tag.PatientName: "Müller^Jürgen", tag.PatientID: "m-ü (2)", tag.StudyDescription: "Abdomen, Herr MÜLLER", tag.SeriesDescription: "thin",
	})...)
	files = append(files, pacstest.Slices(t, 2, 5, 1, map[tag.Tag]any{tag.Modality: "SR", tag.StudyDescription: "", tag.PatientName: "Müller^Jürgen", tag.SeriesDescription: "report"})...)
	for n, file := range files {
		path := filepath.Join(work, "send.dcm")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		head, err := dicom.ReadHead(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Store(t.Context(), head.Study, head.Instance, path); err != nil {
			t.Fatalf("file %d: %v", n, err)
		}
	}

	// Find, as a person types it.
	if text := r.command(done, "pacs", "find", root); !strings.Contains(text, "3 series") || !strings.Contains(text, "Abdomen of ***^***") {
		t.Errorf("find:\n%s", text)
	}
	if text := r.command(done, "pacs", "find", root, "--patient", "m-ü (2)", "--modality", "CT", "--date", "20250101-20251231"); !strings.Contains(text, "1 series") {
		t.Errorf("find by patient:\n%s", text)
	}
	if text := r.command(done, "pacs", "find", root, "--study-description", "abdomen*", "--series", "1.2.826.0.1.9.1.1", "--json"); !strings.Contains(text, `"instances": 6`) {
		t.Errorf("find as JSON:\n%s", text)
	}

	// Pull, twice.
	if text := r.command(done, "pacs", "pull", root, data, "--dry-run"); !strings.Contains(text, "2 series") || !strings.Contains(text, "1 are no images") || exists(data) {
		t.Errorf("dry run:\n%s", text)
	}
	if text := r.command(done, "pacs", "pull", root, data); !strings.Contains(text, "P002: 6 files") {
		t.Errorf("pull:\n%s", text)
	}
	if text := r.command(done, "pacs", "pull", root, data); !strings.Contains(text, "0 series pulled, 2 were there, 1 are no images") {
		t.Errorf("pull again:\n%s", text)
	}
	r.command(done, "inspect", data)

	// Label two slices through the API; the server trains on them.
	model := labelTwo(t, r, data)
	r.command(done, "predict", model, data, masks, "--threads", "1")

	// Push: what people labelled, then what the model makes of it.
	labels := filepath.Join(data+"-annotation", "labels", "final")
	want := fmt.Sprintf("%d segmentations stored, 0 had been stored before, %d cases without a mask", len(filled(t, labels)), 2-len(filled(t, labels)))
	if text := r.command(done, "pacs", "push", data); !strings.Contains(text, want) {
		t.Errorf("push of labels, want %s:\n%s", want, text)
	}
	compareStored(t, r, client, data, labels, filled(t, labels)...)
	text := r.command(done, "pacs", "push", data, "--masks", masks, "--names", "prostate", "--labelmap")
	if want := len(filled(t, masks)); !strings.Contains(text, fmt.Sprintf("%d segmentations stored", want)) {
		t.Errorf("push of masks, want %d:\n%s", want, text)
	}
	compareStored(t, r, client, data, masks, filled(t, masks)...)
	if text := r.command(done, "pacs", "push", data, "--masks", masks, "--names", "prostate", "--labelmap"); !strings.Contains(text, "0 segmentations stored") {
		t.Errorf("push again:\n%s", text)
	}
	r.command(done, "inspect", data) // seg is no case
	if text := r.command(done, "pacs", "find", root, "--study-description", "abdomen of*", "--modality", "CT"); !strings.Contains(text, "1 series") {
		t.Errorf("the study is not found any more by its description:\n%s", text) // servers take it from any of its files
	}

	// Errors, too, tell nothing.
	t.Setenv("NEXTSLICE_PACS_PASSWORD", "wrong password 9")
	if text := r.command(failed, "pacs", "find", root); !strings.Contains(text, "does not know this user with this password (401)") {
		t.Errorf("wrong password:\n%s", text)
	}
	r.command(misuse, "pacs", "find", "https://lab:secret-8@pacs.example")
	for _, file := range []string{filepath.Join(data, "pacs.json"), filepath.Join(data+"-annotation", "record", "data.json")} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r.all.Write(text)
	}
	err = filepath.WalkDir(data+"-annotation", func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		r.all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`(?i)abendroth|jasmine|müller|jürgen|` + pacstest.OrthancPassword + `|wrong password 9|secret-8`).FindStringIndex(r.all.String()); found != nil {
		text := r.all.String()
		t.Errorf("%q was told, in %q", text[found[0]:found[1]], text[max(0, found[0]-200):min(len(text), found[1]+200)])
	}
}

// labelTwo serves a data set, labels two slices of its case for training through the API, and those that are asked for of the other, waits for the model,
// and returns its file.
func labelTwo(t *testing.T, r *ran, data string) (model string) {
	t.Helper()
	address, stop := serving(t, "--data", data, "--classes", "prostate", "--preset", "demo", "--set", "steps=60", "--set", "width=4", "--initial-size", "2",
		"--query-size", "2", "--validation-cases", "P002", "--threads", "1", "--lockstep")
	defer stop()
	one, err := script.LogIn(t.Context(), script.HTTP(), address, "ana", "")
	if err != nil {
		t.Fatal(err)
	}
	labelled := map[string]int{}
	for range 600 {
		task, err := one.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if task != nil && !(task.Case == "P001" && labelled["P001"] == 2) {
			mask := make([]uint8, 24*20)
			for i := range mask {
				if x, y := i%24-12, i/24-10; x*x+y*y < 30 {
					mask[i] = 1
				}
			}
			if _, err := one.Save(t.Context(), task.Item, mask, 1, "edited", 0); err != nil {
				t.Fatal(err)
			}
			labelled[task.Case]++
			continue
		}
		project, err := one.Project(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r.all.WriteString(fmt.Sprintf("%+v\n", project))
		if project.Model != nil {
			if labelled["P001"] != 2 {
				t.Errorf("labelled %v, want two slices of the case for training", labelled)
			}
			return filepath.Join(data+"-annotation", "models", fmt.Sprintf("%04d.safetensors", project.Model.Version))
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("no model")
	return ""
}

// filled returns the cases of a folder whose masks have a voxel.
func filled(t *testing.T, masks string) (names []string) {
	t.Helper()
	for _, name := range []string{"P001", "P002"} {
		if !exists(filepath.Join(masks, name+".nii.gz")) {
			continue
		}
		m, err := volume.ReadMask(filepath.Join(masks, name+".nii.gz"))
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(m.Data, func(v uint8) bool { return v != 0 }) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		t.Fatal("no mask has a voxel")
	}
	return names
}

// compareStored pulls the newest segmentation of each case back from the server and compares every voxel with the mask.
func compareStored(t *testing.T, r *ran, client *pacs.Client, data, masks string, names ...string) {
	t.Helper()
	for _, name := range names {
		series, _, err := dicom.Find(filepath.Join(data, name), "")
		if err != nil {
			t.Fatal(err)
		}
		sent, err := dicom.ReadHead(filepath.Join(data, "seg", name+".dcm"))
		if err != nil {
			t.Fatal(err)
		}
		back := filepath.Join(t.TempDir(), "back.dcm")
		err = client.Retrieve(context.Background(), sent.Study, sent.Series, func(from io.Reader) error {
			text, err := io.ReadAll(from)
			if err != nil {
				return err
			}
			return os.WriteFile(back, text, 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
		got, warnings, err := dicom.ReadSegments(back, series)
		if err != nil || len(warnings) > 0 || len(got.Segments) != 1 || got.Segments[0].Name != "prostate" {
			t.Fatal(got, warnings, err)
		}
		want, err := volume.ReadMask(filepath.Join(masks, name+".nii.gz"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Layers[0], want.Data) {
			t.Errorf("%s comes back otherwise than it was sent", name)
		}
		r.command(done, "inspect", back)
	}
}

// What the server can unpack comes unpacked; JPEG 2000, which this Orthanc cannot, comes as it is stored, after its 500; both are then read.
func TestPackedSeriesFromOrthanc(t *testing.T) {
	root := pacstest.Orthanc(t)
	t.Setenv("NEXTSLICE_PACS_USER", pacstest.OrthancUser)
	t.Setenv("NEXTSLICE_PACS_PASSWORD", pacstest.OrthancPassword)
	client, err := pacs.New(root, pacs.Access{User: pacstest.OrthancUser, Password: pacstest.OrthancPassword})
	if err != nil {
		t.Fatal(err)
	}
	client.Wait = func(context.Context, int) error { return nil }
	work := t.TempDir()
	archive, err := zip.OpenReader(filepath.Join("..", "..", "volume", "dicom", "testdata", "packed.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	for name, study := range map[string]string{"ls-12.dcm": "10.21.", "j2k-12.dcm": "10.22."} {
		file, err := fs.ReadFile(archive, name)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(work, name)
		if err := os.WriteFile(path, bytes.ReplaceAll(file, []byte("10.20."), []byte(study)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Store(t.Context(), "1.2.826.0.1.3680043."+study+"2", "1.2.826.0.1.3680043."+study+"1", path); err != nil {
			t.Fatal(err)
		}
	}
	data := filepath.Join(work, "data")
	text := command(t, "pacs", "pull", root, data, "--min-slices", "1")
	for _, name := range []string{"P001", "P002"} {
		head, err := dicom.ReadHead(filepath.Join(data, name, "0001.dcm"))
		if err != nil {
			t.Fatal(err)
		}
		was := "ls-12.dcm"
		if strings.Contains(head.Study, "10.22.") {
			was = "j2k-12.dcm"
			if dicom.Packing(head.Syntax) != "JPEG 2000" || !strings.Contains(text, name+": 1 files, 0.0 MB, 1 packed with JPEG 2000") {
				t.Errorf("came as %s:\n%s", head.Syntax, text)
			}
			if _, err := exec.LookPath("gdcmconv"); err != nil {
				continue
			}
		} else if head.Syntax != "1.2.840.10008.1.2.1" {
			t.Errorf("came as %s", head.Syntax)
		}
		got, _, err := dicom.Read(filepath.Join(data, name))
		if err != nil {
			t.Fatal(err)
		}
		want, _, err := dicom.Read(filepath.Join(work, was))
		if err != nil || !slices.Equal(got.Data, want.Data) {
			t.Errorf("%s: other pixels than were stored: %v", was, err)
		}
	}
}
