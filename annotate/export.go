package annotate

import (
	"archive/zip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/nextslice/nextslice/internal/tempdir"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"

	"github.com/nextslice/nextslice/annotate/fault"
	"github.com/nextslice/nextslice/annotate/store"
)

// Formats of an export.
const (
	FormatNIfTI    = "nifti"
	FormatNRRD     = "nrrd"      // .seg.nrrd, with names and colours of the classes
	FormatDICOMSEG = "dicom-seg" // of cases that are DICOM series
	FormatCSV      = "csv"       // what was labelled, no masks
)

// Exporter writes the labels for other programs.
type Exporter struct {
	config Config
	store  *store.Store
	cases  *Cases
	rights rights
	model  segmenter
}

// segmenter predicts whole cases with the model in use, or with one that was.
type segmenter interface {
	now() Network
	segmentCase(ctx context.Context, n Network, name string, mask *volume.Mask) error
}

// Export says what is exported.
type Export struct {
	Format   string
	Partial  bool // also cases of which only some slices are labelled; else only finished ones
	Fill     bool // slices without a label hold the prediction of the model in use instead of background
	Accepted bool // only labels that a reviewer has accepted; other slices count as unlabelled
	Ignore   bool // slices without a label hold Unsure instead of background: programs that read the masks must not learn that nothing is there
}

// Write writes a zip with one mask per case and the list labelled.csv, or for FormatCSV the list alone. Which slices
// are labels, and not background or predictions, only the list tells. Masks hold the label values of the data, see values. An export is of one moment: labels and reviews are read at once, the
// masks hold exactly the versions that the list names, and one model fills all of them, whatever is saved, reviewed or trained while it is being written. With no case to
// export it returns ErrInvalid and has written nothing.
func (x *Exporter) Write(ctx context.Context, who Person, w io.Writer, e Export) error {
	entry := store.Event{Person: who.Name, Event: "export", Detail: fmt.Sprintf("%s, partial %v, fill %v, only accepted %v", e.Format, e.Partial, e.Fill, e.Accepted),
		Said: []fault.Message{fault.Say(fault.OfFormat, "format", e.Format)}}
	for _, further := range []struct {
		asked bool
		code  fault.Code
	}{{e.Partial, fault.OfPartial}, {e.Fill, fault.OfFill}, {e.Accepted, fault.OfAccepted}} {
		if further.asked {
			entry.Said = append(entry.Said, fault.Say(further.code))
		}
	}
	if err := x.store.Log(ctx, entry); err != nil {
		return err
	}
	labels, err := x.store.LabelList(ctx, "")
	if err != nil {
		return err
	}
	open, err := x.store.Queue(ctx, false)
	if err != nil {
		return err
	}
	labels = slices.DeleteFunc(x.rights.visible(who, labels, open), func(l store.Labelled) bool { return e.Accepted && l.Status() != ReviewAccepted })
	if e.Format == FormatCSV {
		list := csv.NewWriter(w)
		writeLabels(list, labels)
		list.Flush()
		return list.Error()
	}
	var fill Network
	if e.Fill {
		fill = x.model.now()
	}
	cases, err := x.exportable(ctx, labels, fill, e)
	if err != nil {
		return err
	}
	dir, remove, err := tempdir.Make("export")
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	defer remove()
	z := zip.NewWriter(w)
	left := map[string]error{} // out, and why
	used := map[string]bool{}
	for _, name := range cases {
		path := filepath.Join(dir, unused(used, name, extensions[e.Format]))
		err := x.exportCase(ctx, path, name, labels, fill, e)
		if errors.Is(err, store.ErrDamaged) || errors.Is(err, ErrGone) { // of this case alone
			left[name] = err
			continue
		}
		if err != nil {
			return fmt.Errorf("export %s: %w", name, err)
		}
		if err := addFile(z, path); err != nil {
			return fmt.Errorf("export %s: %w", name, err)
		}
	}
	if len(left) > 0 {
		if len(left) == len(cases) {
			return errors.Join(slices.Collect(maps.Values(left))...)
		}
		text, err := z.Create("left-out.txt")
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(left)) {
			fmt.Fprintf(text, "%s: %v\n", name, left[name])
		}
		cases = slices.DeleteFunc(cases, func(name string) bool { return left[name] != nil })
	}
	if len(x.cases.set.Values()) > 0 && e.Format == FormatNIfTI {
		if err := x.nameValues(z, e); err != nil {
			return err
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

// FileName returns a name under which every system can keep a file: without separators, control characters, and what Windows
// forbids, as a case's or a data set's name may have them.
func FileName(name string) string {
	clean := strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) || strings.ContainsRune(`/\:*?"<>|`, c) {
			return '_'
		}
		return c
	}, strings.ToValidUTF8(name, "_"))
	clean = strings.TrimRight(clean, ". ")
	if stem, _, _ := strings.Cut(strings.ToUpper(clean), "."); stem == "" || stem == "CON" || stem == "PRN" || stem == "AUX" || stem == "NUL" ||
		len(stem) == 4 && (strings.HasPrefix(stem, "COM") || strings.HasPrefix(stem, "LPT")) {
		clean = "_" + clean
	}
	return clean
}

// unused returns the file name of a case in a zip, with a number where another case has it already: for systems that do not tell capitals apart
// as well.
func unused(used map[string]bool, name, extension string) string {
	file := FileName(name + extension)
	for n := 2; used[strings.ToLower(file)]; n++ {
		file = FileName(fmt.Sprintf("%s-%d%s", name, n, extension))
	}
	used[strings.ToLower(file)] = true
	return file
}

var extensions = map[string]string{FormatNIfTI: ".nii.gz", FormatNRRD: ".seg.nrrd", FormatDICOMSEG: ".dcm"}

// exportable returns the cases that an export holds.
func (x *Exporter) exportable(ctx context.Context, labels []store.Labelled, fill Network, e Export) ([]string, error) {
	if extensions[e.Format] == "" {
		return nil, fmt.Errorf("%w: there is no format %q", ErrInvalid, e.Format)
	}
	if e.Ignore && e.Fill {
		return nil, fmt.Errorf("%w: slices without a label hold a prediction or the value to ignore, not both", ErrInvalid)
	}
	if e.Ignore && len(x.config.Classes) > Unsure {
		return nil, fmt.Errorf("%w: the value to ignore, %d, is that of a class", ErrInvalid, Unsure)
	}
	if e.Fill && fill == nil {
		return nil, fault.With(fmt.Errorf("%w: there is no model yet to fill unlabelled slices with", ErrInvalid), fault.ExportNoModel)
	}
	count := map[string]int{}
	for _, l := range labels {
		count[l.Item.Case]++
	}
	var names []string
	series := 0
	for _, c := range x.cases.set.Cases {
		info, err := os.Stat(c.Image)
		if err == nil && info.IsDir() {
			series++
		} else if e.Format == FormatDICOMSEG {
			continue
		}
		if n := count[c.ID]; n == x.config.Preprocess.Slices(c.Grid) || e.Partial && (n > 0 || e.Fill) {
			names = append(names, c.ID)
		}
	}
	switch {
	case e.Format == FormatDICOMSEG && series == 0:
		return nil, fault.With(fmt.Errorf("%w: a DICOM SEG belongs to a DICOM series, and the data are none: choose another format", ErrInvalid), fault.ExportNotDICOM)
	case len(names) == 0 && !e.Partial && e.Accepted:
		return nil, fault.With(fmt.Errorf("%w: no case is labelled and accepted in all its slices: export with partly labelled cases", ErrInvalid), fault.ExportNoneWholeAccepted)
	case len(names) == 0 && !e.Partial:
		return nil, fault.With(fmt.Errorf("%w: no case is labelled in all its slices: export with partly labelled cases", ErrInvalid), fault.ExportNoneWhole)
	case len(names) == 0 && e.Accepted:
		return nil, fault.With(fmt.Errorf("%w: no label is accepted yet", ErrInvalid), fault.ExportNoneAccepted)
	case len(names) == 0:
		return nil, fault.With(fmt.Errorf("%w: nothing is labelled yet", ErrInvalid), fault.ExportNone)
	}
	return names, ctx.Err()
}

// exportCase writes the mask of one case, with the labels of it that the list names.
func (x *Exporter) exportCase(ctx context.Context, path, name string, list []store.Labelled, fill Network, e Export) error {
	labels, err := x.store.WithMasks(ctx, slices.DeleteFunc(slices.Clone(list), func(l store.Labelled) bool { return l.Item.Case != name }))
	if err != nil {
		return err
	}
	mask := x.cases.emptyMask(name)
	if e.Fill { // also cases for validation: nobody labels by an export
		if err := x.model.segmentCase(ctx, fill, name, mask); err != nil {
			return err
		}
	}
	if e.Ignore {
		for i := range mask.Data {
			mask.Data[i] = Unsure
		}
	}
	if err := x.cases.place(mask, labels); err != nil {
		return err
	}
	if e.Format == FormatNIfTI {
		for n, v := range mask.Data {
			if v == Unsure {
				mask.Data[n] = x.unsure()
			}
		}
		return volume.WriteMask(path, &volume.Mask{Grid: mask.Grid, Data: volume.NewSegmentation(mask, nil).WithValues(x.values(e)).Layers[0]})
	}
	s := volume.NewSegmentation(mask, x.config.names())
	for i := range s.Segments {
		if s.Segments[i].Value == Unsure && e.Ignore {
			s.Segments[i].Name = "not labelled"
		}
		for _, class := range x.config.drawn() {
			if class.Value != int(s.Segments[i].Value) {
				continue
			}
			s.Segments[i].Name = class.Name
			c := &s.Segments[i].Color
			_, _ = fmt.Sscanf(class.Color, "#%02x%02x%02x", &c[0], &c[1], &c[2]) // one of the palette
		}
	}
	if e.Format == FormatNRRD {
		return volume.WriteSegmentation(path, s.WithValues(x.values(e)))
	}
	series, err := x.cases.set.Series(x.cases.index[name])
	if err != nil {
		return fmt.Errorf("%w: %v", ErrGone, err)
	}
	return dicom.WriteSegmentation(path, s, series, time.Now())
}

// values returns the label values of the classes 1, 2 … in exported masks; nil is 1, 2 … They are the data's own, with which the masks go back beside these, unless one of
// them would be that of pixels that are unsure or not labelled.
func (x *Exporter) values(e Export) []int {
	values := x.cases.set.Values()
	mark := Unsure
	if e.Format == FormatNIfTI {
		mark = int(x.unsure())
	}
	if len(values) != len(x.config.Classes)-1 || (e.Ignore || x.config.Unsure) && slices.Contains(values, mark) {
		return nil
	}
	return values
}

// unsure returns the value of Unsure in NIfTI masks.
func (x *Exporter) unsure() uint8 {
	if x.config.Unsure && x.config.UnsureValue > 0 {
		return uint8(x.config.UnsureValue)
	}
	return Unsure
}

// nameValues writes a dataset.json: what the numbers in the masks mean.
func (x *Exporter) nameValues(z *zip.Writer, e Export) error {
	labels, values := map[string]int{}, x.values(e)
	for n, class := range x.config.Classes {
		labels[class.Name] = n
		if n > 0 && values != nil {
			labels[class.Name] = values[n-1]
		}
	}
	if e.Ignore || x.config.Unsure {
		labels["ignore"] = int(x.unsure())
	}
	w, err := z.Create("dataset.json")
	if err != nil {
		return err
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(map[string]any{"labels": labels})
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
	file.Close() // Windows removes no open file
	return os.Remove(path)
}
