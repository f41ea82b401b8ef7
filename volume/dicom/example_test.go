package dicom_test

import (
	"archive/zip"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// The largest series of a folder is read, and a mask on it is written as segmentation object.
func Example() {
	series, problems, err := dicom.Scan("patient")
	if err != nil || len(series) == 0 {
		fmt.Println(err, problems)
		return
	}
	image, err := series[0].Read()
	if err != nil {
		fmt.Println(err)
		return
	}
	mask := &volume.Mask{Grid: image.Grid, Data: make([]uint8, image.Len())}
	for v, x := range image.Data {
		if x > 300 {
			mask.Data[v] = 1
		}
	}
	segmentation := volume.NewSegmentation(mask, []string{"background", "bone"})
	if err := dicom.WriteSegmentation("bone.dcm", segmentation, series[0], time.Now()); err != nil {
		fmt.Println(err)
	}
}

// files unpacks the small files that the tests read into a temporary folder.
func files() (dir string) {
	archive, err := zip.OpenReader("testdata/inputs.zip")
	if err != nil {
		log.Fatal(err)
	}
	defer archive.Close()
	if dir, err = os.MkdirTemp("", "dicom"); err == nil {
		err = os.CopyFS(dir, archive)
	}
	if err != nil {
		log.Fatal(err)
	}
	return dir
}

// The slices of a folder become one volume.
func ExampleRead() {
	dir := files()
	defer os.RemoveAll(dir)
	image, warnings, err := dicom.Read(filepath.Join(dir, "series"))
	if err != nil {
		log.Fatal(err, warnings)
	}
	fmt.Printf("%v voxels of %.1f mm\n", image.Size, image.Spacing())
	// Output: 22 x 18 x 5 voxels of [0.6 0.7 2.5] mm
}

// A segmentation object covers three slices of its series. It is put on all of them.
func ExampleReadSegmentation() {
	dir := files()
	defer os.RemoveAll(dir)
	segmentation, warnings, err := dicom.ReadSegmentation(filepath.Join(dir, "seg", "overlap.dcm"))
	if err != nil {
		log.Fatal(err, warnings)
	}
	series, problems, err := dicom.Scan(filepath.Join(dir, "series"))
	if err != nil {
		log.Fatal(err, problems)
	}
	on, err := segmentation.On(series[0].Grid)
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range on.Segments {
		fmt.Println(s.Name)
	}
	fmt.Println(segmentation.Size[2], "slices on", on.Size[2])
	// Output:
	// prostate
	// tumour
	// 3 slices on 5
}

// Contours are filled on the slices of the series that they were drawn on.
func ExampleReadContours() {
	series, problems, err := dicom.Scan("patient")
	if err != nil || len(series) == 0 {
		fmt.Println(err, problems)
		return
	}
	regions, warnings, err := dicom.ReadContours("patient/structures.dcm", series[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, w := range warnings {
		fmt.Println("warning:", w)
	}
	for _, r := range regions.Segments {
		fmt.Println(r.Name)
	}
}
