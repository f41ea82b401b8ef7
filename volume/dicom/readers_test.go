package dicom

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// What highdicom, dcmqi, rt-utils and pydicom read in what we write is what was meant, voxel by voxel (internal/bench/dicom_readers.py).
func TestOtherReaders(t *testing.T) {
	python := filepath.Join("..", "..", ".venv-dicom", "bin", "python")
	if _, err := os.Stat(python); err != nil {
		t.Skip("there is no .venv-dicom: scripts/dicom-readers.sh makes it")
	}
	// Square slices of square pixels, since rt-utils takes columns for rows.
	series := maskSeries(t, []float64{0, 2.5, 5, 7.5, 10}, values{tag.Rows: []int{20}, tag.PixelSpacing: decimals(0.8, 0.8), tag.PixelData: pixels(make([]byte, 2*20*20)...),
		tag.PatientName: []string{"Phantom^A"}, tag.StudyID: []string{"1"}})
	s := draw(series)
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "series"), os.DirFS(filepath.Dir(series.Files()[0]))); err != nil {
		t.Fatal(err)
	}
	made := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, o := range map[string]SEG{"binary.dcm": {Made: made}, "labelmap.dcm": {Made: made, LabelMap: true}} {
		if err := o.Write(filepath.Join(dir, name), s, series); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteContours(filepath.Join(dir, "contours.dcm"), s, series, made, Codes{}); err != nil {
		t.Fatal(err)
	}
	segments := map[string][]int{}
	for _, segment := range s.Segments {
		for v, value := range s.Layers[segment.Layer] {
			if value == segment.Value {
				segments[segment.Name] = append(segments[segment.Name], v)
			}
		}
	}
	text, err := json.Marshal(map[string]any{"size": s.Size, "segments": segments})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "masks.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, filepath.Join("..", "..", "internal", "bench", "dicom_readers.py"), dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	readers := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if len(fields) != 3 {
			continue
		}
		readers++
		if fields[2] != "0" {
			t.Errorf("%s: %s voxels of %s differ", fields[0], fields[2], fields[1])
		}
	}
	if readers != 12 {
		t.Errorf("%d results, want 12: %s", readers, out)
	}
}
