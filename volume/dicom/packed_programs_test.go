package dicom

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// packedVector is a packed file and the values that CharLS, libjpeg, OpenJPEG and GDCM find in it (internal/bench/volume_dicom_jpegls.py).
type packedVector struct {
	File, Path    string
	Rows, Columns int
	Values        []float32
}

func packedVectors(t testing.TB) (all []packedVector) {
	t.Helper()
	dir := t.TempDir()
	archive, err := zip.OpenReader("testdata/packed.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	if err := os.CopyFS(dir, archive); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for i, v := range all { // each in a folder of its own: some have the same pixels
		to := filepath.Join(dir, fmt.Sprint(i), v.File)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, v.File), to); err != nil {
			t.Fatal(err)
		}
		all[i].Path = to
	}
	return all
}

// JPEG-LS is read here, JPEG 2000 by gdcmconv where it is installed: every pixel is that of other decoders.
func TestReadPackedOfOtherPrograms(t *testing.T) {
	all := packedVectors(t)
	if len(all) != 24 {
		t.Errorf("%d files", len(all))
	}
	for _, want := range all {
		t.Run(want.File, func(t *testing.T) {
			if _, err := exec.LookPath("gdcmconv"); err != nil && strings.HasPrefix(want.File, "j2k") {
				t.Skip("there is no gdcmconv: scripts/deps.sh test installs it")
			}
			v, warnings, err := Read(want.Path)
			if err != nil || v.Size[0] != want.Columns || v.Size[1] != want.Rows {
				t.Fatal(v, err)
			}
			for i, x := range v.Data {
				if x != want.Values[i] {
					t.Fatalf("pixel %d is %v, want %v", i, x, want.Values[i])
				}
			}
			if s, _, err := Find(want.Path, ""); err != nil || len(s.Packings()) != 1 {
				t.Errorf("packings %v, %v", s.Packings(), err)
			}
			if lossy := strings.Contains(strings.Join(warnings, "\n"), "not exactly those of the scanner"); lossy != (strings.Contains(want.File, "near") || want.File == "j2k-lossy.dcm") {
				t.Errorf("warnings %q", warnings)
			}
		})
	}
}

// Without the program, the error says how to install it; a file that lies or is damaged is refused in a line.
func TestForeignPacking(t *testing.T) {
	all := packedVectors(t)
	path := all[slices.IndexFunc(all, func(v packedVector) bool { return v.File == "j2k-12.dcm" })].Path
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("gdcmconv"); err == nil {
		for name, c := range map[string]struct {
			data []byte
			want string
		}{
			"other size": {[]byte(strings.Replace(string(data), "\x28\x00\x10\x00US\x02\x00\x30\x00", "\x28\x00\x10\x00US\x02\x00\x31\x00", 1)), "frame 1: JPEG 2000 of 64 x 48 pixels: want 64 x 49"},
			"no stream":  {[]byte(strings.Replace(string(data), "\xff\x4f\xff\x51", "\xff\x4f\xff\x00", 1)), "frame 1: no stream of JPEG 2000"},
			"damaged":    {[]byte(strings.Replace(string(data), "\xff\x52", "\xff\x00", 1)), "gdcmconv cannot unpack the pixels"},
		} {
			bad := filepath.Join(t.TempDir(), "-bad.dcm") // a name like a flag
			if err := os.WriteFile(bad, c.data, 0o600); err != nil {
				t.Fatal(err)
			}
			_, _, err := Read(bad)
			wantError(t, name, err, c.want)
		}
		if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "nextslice-gdcm-*")); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	}
	t.Setenv("PATH", t.TempDir())
	_, _, err = Read(path)
	wantError(t, "no program", err, `packed with JPEG 2000 (transfer syntax 1.2.840.10008.1.2.4.90), which the program gdcmconv unpacks: install it with "apt-get install libgdcm-tools"`)
	head, err := ReadHead(path)
	if err != nil || head.Syntax != jpeg2000Lossless || head.Instance != "1.2.826.0.1.3680043.10.20.1" {
		t.Errorf("%+v, %v", head, err)
	}
}
