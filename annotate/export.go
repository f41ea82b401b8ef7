package annotate

import (
	"archive/zip"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"

	"github.com/nextslice/nextslice/annotate/store"
)

// Formats of an export.
const (
	FormatNIfTI    = "nifti"
	FormatNRRD     = "nrrd"      // .seg.nrrd, with names and colours of the classes
	FormatDICOMSEG = "dicom-seg" // of cases that are DICOM series
	FormatCSV      = "csv"       // what was labelled, no masks
)

// Export says what is exported.
type Export struct {
	Format  string
	Partial bool // also cases of which only some slices are labelled; else only finished ones
	Fill    bool // slices without a label hold the prediction of the model in use instead of background
}

// Export writes a zip with one mask per case and the list labelled.csv, or for FormatCSV the list alone. Which slices
// are labels, and not background or predictions, only the list tells. With no case to export it returns ErrInvalid and
// has written nothing.
func (p *Project) Export(ctx context.Context, w io.Writer, e Export) error {
	labels, err := p.store.Labels(ctx, "")
	if err != nil {
		return err
	}
	if e.Format == FormatCSV {
		list := csv.NewWriter(w)
		writeLabels(list, labels)
		list.Flush()
		return list.Error()
	}
	cases, err := p.exportable(ctx, labels, e)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "nextslice-export-")
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	defer os.RemoveAll(dir)
	z := zip.NewWriter(w)
	for _, name := range cases {
		path := filepath.Join(dir, name+extensions[e.Format])
		if err := p.exportCase(ctx, path, name, labels, e); err != nil {
			return fmt.Errorf("export %s: %w", name, err)
		}
		if err := addFile(z, path); err != nil {
			return fmt.Errorf("export %s: %w", name, err)
		}
	}
	list, err := z.Create("labelled.csv")
	if err != nil {
		return err
	}
	lines := csv.NewWriter(list)
	writeLabels(lines, slices.DeleteFunc(labels, func(l store.Labelled) bool { return !slices.Contains(cases, l.Item.Case) }))
	if lines.Flush(); lines.Error() != nil {
		return lines.Error()
	}
	return z.Close()
}

var extensions = map[string]string{FormatNIfTI: ".nii.gz", FormatNRRD: ".seg.nrrd", FormatDICOMSEG: ".dcm"}

// exportable returns the cases that an export holds.
func (p *Project) exportable(ctx context.Context, labels []store.Labelled, e Export) ([]string, error) {
	if extensions[e.Format] == "" {
		return nil, fmt.Errorf("%w: there is no format %q", ErrInvalid, e.Format)
	}
	if e.Fill && p.predict.version() == 0 {
		return nil, fmt.Errorf("%w: there is no model yet to fill unlabelled slices with", ErrInvalid)
	}
	count := map[string]int{}
	for _, l := range labels {
		count[l.Item.Case]++
	}
	var names []string
	series := 0
	for _, c := range p.data.Cases {
		info, err := os.Stat(c.Image)
		if err == nil && info.IsDir() {
			series++
		} else if e.Format == FormatDICOMSEG {
			continue
		}
		if n := count[c.ID]; n == p.Config.Preprocess.Slices(c.Grid) || e.Partial && (n > 0 || e.Fill) {
			names = append(names, c.ID)
		}
	}
	switch {
	case e.Format == FormatDICOMSEG && series == 0:
		return nil, fmt.Errorf("%w: a DICOM SEG belongs to a DICOM series, and the data are none: choose another format", ErrInvalid)
	case len(names) == 0 && !e.Partial:
		return nil, fmt.Errorf("%w: no case is labelled in all its slices: export with partly labelled cases", ErrInvalid)
	case len(names) == 0:
		return nil, fmt.Errorf("%w: nothing is labelled yet", ErrInvalid)
	}
	return names, ctx.Err()
}

// exportCase writes the mask of one case.
func (p *Project) exportCase(ctx context.Context, path, name string, labels []store.Labelled, e Export) error {
	mask := p.emptyMask(name)
	if e.Fill { // also cases for validation: nobody labels by an export
		if err := p.wait(ctx); err != nil {
			return err
		}
		if err := p.predict.fillIn(ctx, name, mask); err != nil {
			return err
		}
	}
	if err := p.place(mask, slices.DeleteFunc(slices.Clone(labels), func(l store.Labelled) bool { return l.Item.Case != name })); err != nil {
		return err
	}
	if e.Format == FormatNIfTI {
		return volume.WriteMask(path, mask)
	}
	s := volume.NewSegmentation(mask, p.Config.names())
	for i := range s.Segments {
		if class := int(s.Segments[i].Value); class < len(p.Config.Classes) {
			s.Segments[i].Color = rgb(p.Config.Classes[class].Color)
		}
	}
	if e.Format == FormatNRRD {
		return volume.WriteSegmentation(path, s)
	}
	found, _, err := dicom.Scan(p.data.Cases[p.index[name]].Image)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("%w: the DICOM series has gone", ErrGone)
	}
	return dicom.WriteSegmentation(path, s, found[0], time.Now())
}

// rgb reads a colour "#rrggbb".
func rgb(text string) (c [3]uint8) {
	for i := range c {
		if len(text) == 7 {
			v, _ := strconv.ParseUint(text[1+2*i:3+2*i], 16, 8) // the palette's own
			c[i] = uint8(v)
		}
	}
	return c
}

func addFile(z *zip.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	// The formats are compressed already, but for DICOM, which is mostly zeros.
	w, err := z.CreateHeader(&zip.FileHeader{Name: filepath.Base(path), Method: zip.Deflate, Modified: time.Now()})
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, file); err != nil {
		return err
	}
	return os.Remove(path)
}

// LabelMask returns a case's labels as one mask; slices without a label are background.
func (p *Project) LabelMask(ctx context.Context, name string) (*volume.Mask, error) {
	labels, err := p.store.Labels(ctx, name)
	if err != nil {
		return nil, err
	}
	mask := p.emptyMask(name)
	return mask, p.place(mask, labels)
}

// place puts the labels of a case into its mask.
func (p *Project) place(mask *volume.Mask, labels []store.Labelled) error {
	for _, l := range labels {
		slice, err := l.Mask()
		if err != nil {
			return err
		}
		mask.SetSlice(p.Config.Preprocess.Axis, l.Item.Slice, slice)
	}
	return nil
}

// Prediction returns what the model in use makes of a whole case; background where there is no model, or where people
// shall not see it.
func (p *Project) Prediction(ctx context.Context, name string) (*volume.Mask, error) {
	mask := p.emptyMask(name)
	if p.predict.version() == 0 || !p.showsProposal(Item{Case: name}) {
		return mask, nil
	}
	if err := p.wait(ctx); err != nil {
		return nil, err
	}
	return mask, p.predict.fillIn(ctx, name, mask)
}

// fillIn predicts all slices of a case. Nothing is stored.
func (p *predictor) fillIn(ctx context.Context, name string, mask *volume.Mask) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.model == nil {
		return nil
	}
	c, classes := p.project.Config.Preprocess, len(p.project.Config.Classes)
	h, w := c.SliceSize(mask.Grid)
	probs, slice := make([]float32, h*w*classes), make([]uint8, h*w)
	var images [][]float32
	for k := range c.Slices(mask.Grid) {
		image := p.project.canvas(Item{Case: name, Slice: k})
		if image == nil {
			return fmt.Errorf("%s: %w", name, ErrGone)
		}
		images = append(images, image)
	}
	return p.model.Predict(ctx, images, func(k int, canvas []float32) error {
		c.Back(canvas, classes, mask.Grid, k, probs)
		preprocess.Argmax(slice, probs, classes)
		mask.SetSlice(c.Axis, k, slice)
		return nil
	})
}
