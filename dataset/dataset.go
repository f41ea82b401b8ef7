package dataset

import (
	"fmt"
	"slices"

	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// Case is a patient's scan, or one of several.
type Case struct {
	ID     string      // name of the image without folder, extension and the layout's suffix; unique in the data set
	Image  string      // path of a file, or of a folder with one DICOM series, or with one for each channel
	Label  string      // path of the mask, "" if there is none
	Grid   volume.Grid // of the image
	Stored string      // type of the voxels in the image file, e.g. "int16"

	Modality string         // "CT", "MR" … as a DICOM header has it; "" where it does not say
	Windows  []dicom.Window // of a DICOM header

	// patient is what Patient returns; "" stands for the ID. Until guessPatients it is the PatientID of a DICOM header.
	patient string
	colour  bool // the mask is a picture whose colours are its segments
	// Values are the values in the mask that stand for the classes 1, 2 …; nil if these are the values. See greyValues.
	Values []uint8
	ignore uint8 // see Dataset.Ignore

	// Unannotated tells of each class whether nobody has looked for it in this case, as dataset.json says: its voxels are background in the
	// mask. nil if all classes are annotated.
	Unannotated []bool

	Channels int // number of channels in the image file, at least 1
	Channel  int // the one that is read, from 0; see Dataset.UseChannel

	several   []input         // the images that are read instead; see Dataset.UseChannels
	files     []string        // of its channels by number, in the layout SequenceFolders; "" where one is missing
	slices    []string        // the files of the image's DICOM series where Image is one of them
	sequences []seriesChannel // of a DICOM case whose channels are series, by number; else nil
	origin    origin          // of the image
}

// Problem is something wrong with a case, in words for a person.
type Problem struct {
	Case    string `json:"case,omitempty"` // ID; "" where it concerns the whole data set
	Text    string `json:"text"`
	LeftOut bool   `json:"left-out,omitempty"` // the case is not in Dataset.Cases; without a case, what is not read may hold further ones
	Note    bool   `json:"note,omitempty"`     // it is only told: nothing is left out, and no mask is in doubt
}

// String returns the problem as one sentence.
func (p Problem) String() string {
	s := p.Text
	if p.Case != "" {
		s = p.Case + ": " + s
	}
	if p.LeftOut {
		s += " (left out)"
	}
	return s
}

// Dataset is what Open found in a folder.
type Dataset struct {
	Name   string
	Dir    string
	Layout string
	Cases  []Case // in the order of their IDs
	// Classes are the names of the label values: Classes[0] is "background", Classes[v] names the value v. They come
	// from dataset.json where there is one, else from the segments' names in the masks, else from the values in them ("class 1").
	// Without any, nil.
	Classes []string
	// Ignore is the value in the mask files of voxels that nobody has labelled or is sure of, above those of all classes; 0 if there
	// is none. Masks that are read hold [volume.Ignored] there.
	Ignore   uint8
	Problems []Problem
	// Grouped says in words which cases PatientID or their names group by patient; "" where none, and after UsePatients.
	Grouped string

	Channels     []Channel // that are read together, see UseChannels; nil for one, see UseChannel
	channelNames []string  // by number, as far as dataset.json or OpenOptions give them
	resample     bool      // see UseChannels
}

// Item is a slice of a case.
type Item struct {
	Case  int `json:"case"`  // index into Dataset.Cases
	Slice int `json:"slice"` // index along the axis that slices are cut across
}

// String returns the item with its case's index, e.g. "12/017". See Dataset.ItemName.
func (i Item) String() string { return fmt.Sprintf("%d/%03d", i.Case, i.Slice) }

// ItemName returns the item with its case's ID, e.g. "Case12/017".
func (d *Dataset) ItemName(i Item) string { return fmt.Sprintf("%s/%03d", d.Cases[i.Case].ID, i.Slice) }

// Items returns the slices of some cases across an index axis (0, 1 or 2), case by case.
func (d *Dataset) Items(cases []int, axis int) []Item {
	var items []Item
	for _, c := range cases {
		for k := range d.Cases[c].Grid.Size[axis] {
			items = append(items, Item{Case: c, Slice: k})
		}
	}
	return items
}

// Sizes returns the grid sizes of all cases, from which preprocess.Derive makes a configuration.
func (d *Dataset) Sizes() [][3]int {
	sizes := make([][3]int, len(d.Cases))
	for i, c := range d.Cases {
		sizes[i] = c.Grid.Size
	}
	return sizes
}

// Grids returns the grids of all cases.
func (d *Dataset) Grids() []volume.Grid {
	grids := make([]volume.Grid, len(d.Cases))
	for i, c := range d.Cases {
		grids[i] = c.Grid
	}
	return grids
}

// Labelled returns the indices of the cases that have a mask.
func (d *Dataset) Labelled() []int {
	var labelled []int
	for i, c := range d.Cases {
		if c.Label != "" {
			labelled = append(labelled, i)
		}
	}
	return labelled
}

// Index returns the index of a case by its ID, -1 if there is none.
func (d *Dataset) Index(id string) int {
	return slices.IndexFunc(d.Cases, func(c Case) bool { return c.ID == id })
}

// Preprocess returns the configuration that preprocess.Derive makes for all cases. With volume.AutoAxis slices are cut across
// the axis of the coarsest spacing.
func (d *Dataset) Preprocess(axis int) preprocess.Config {
	if axis == volume.AutoAxis {
		axis = preprocess.CoarsestAxis(d.Grids())
	}
	return preprocess.Derive(d.Sizes(), axis)
}
