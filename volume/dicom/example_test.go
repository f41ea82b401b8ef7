package dicom_test

import (
	"fmt"
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
