package dataset

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
	"github.com/nextslice/nextslice/volume/source"
)

// seriesChannel is the series in the folder of a DICOM case that is one of its channels.
type seriesChannel struct {
	id   string // see dicom.Series.ID
	grid volume.Grid
	origin
	fault error // why there is none
}

// origin is where the positions in a DICOM header hold; either part is "" where the header, or another format, does not say.
type origin struct{ patient, frame string }

func originOf(s *dicom.Series) origin {
	if s == nil {
		return origin{}
	}
	return origin{s.Patient, s.Frame}
}

// at returns an error if positions of a and b cannot be compared.
func (a origin) at(b origin) error {
	switch {
	case a.patient != b.patient && a.patient != "" && b.patient != "":
		return errors.New("it is of another patient than the case's first image, as their PatientIDs say")
	case a.frame != b.frame && a.frame != "" && b.frame != "":
		return errors.New("it has another frame of reference than the case's first image, so that nobody knows where it lies: register the two, and convert them to files of one space")
	}
	return nil
}

// SamePlace returns an error if the headers of two series say that their positions cannot be compared: they are of two patients, or of two
// frames of reference. Either may be nil, for an image that is no series.
func SamePlace(a, b *dicom.Series) error { return originOf(a).at(originOf(b)) }

// Sequences returns the series of a DICOM case's folder that are the channels of these names, in their order. A series is a channel's if its files
// lie in a folder of the channel's name, else if its description is the name, else if the name is among the words of its description;
// letter case does not count. Localisers are none. The error of a channel says that it has no series or several.
func Sequences(dir string, names []string) (found []*dicom.Series, faults []error, err error) {
	all, _, err := dicom.Scan(dir)
	if err != nil {
		return nil, nil, err
	}
	if images := slices.DeleteFunc(slices.Clone(all), (*dicom.Series).Localiser); len(images) > 0 {
		all = images
	}
	if len(all) == 0 {
		_, _, err := dicom.Find(dir, "") // says why
		return nil, nil, err
	}
	found, faults = make([]*dicom.Series, len(names)), make([]error, len(names))
	for _, rule := range []func(dir string, s *dicom.Series, name string) bool{inFolder, isDescription, inDescription} {
		var fit [][]*dicom.Series // of each name
		claims := map[*dicom.Series]int{}
		for n, name := range names {
			fit = append(fit, nil)
			for _, s := range all {
				if found[n] == nil && faults[n] == nil && !slices.Contains(found, s) && rule(dir, s, name) {
					fit[n] = append(fit[n], s)
					claims[s]++
				}
			}
		}
		for n, fit := range fit {
			switch {
			case len(fit) > 1:
				faults[n] = fmt.Errorf("%d series can be it: %s; put the one that is meant into a folder %s", len(fit), describeSeries(fit), filepath.Join(filepath.Base(dir), names[n]))
			case len(fit) == 1 && claims[fit[0]] > 1:
				faults[n] = fmt.Errorf("the series %s can be another channel too: put it into a folder %s", fit[0], filepath.Join(filepath.Base(dir), names[n]))
			case len(fit) == 1:
				found[n] = fit[0]
			}
		}
	}
	for n := range names {
		switch {
		case faults[n] != nil:
		case found[n] == nil:
			faults[n] = fmt.Errorf("its folder holds %s: put the series that is meant into a folder %s", describeSeries(all), filepath.Join(filepath.Base(dir), names[n]))
		default:
			faults[n] = found[n].Damaged
		}
	}
	return found, faults, nil
}

func inFolder(dir string, s *dicom.Series, name string) bool {
	for _, file := range s.Files() {
		rel, err := filepath.Rel(dir, filepath.Dir(file))
		if err != nil || !slices.ContainsFunc(strings.Split(rel, string(filepath.Separator)), func(part string) bool { return strings.EqualFold(part, name) }) {
			return false
		}
	}
	return true
}

func isDescription(_ string, s *dicom.Series, name string) bool {
	return strings.EqualFold(strings.TrimSpace(s.Description), strings.TrimSpace(name))
}

func inDescription(_ string, s *dicom.Series, name string) bool {
	words := func(text string) string {
		return " " + strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ") + " "
	}
	return strings.TrimSpace(words(name)) != "" && strings.Contains(words(s.Description+" "+s.Part), words(name))
}

func describeSeries(all []*dicom.Series) string {
	var list []string
	for _, s := range all {
		list = append(list, s.String())
	}
	return strings.Join(list, "; ")
}

// openImage reads the header of a case's image. Of a DICOM case it is the series of channel 0, where the channels have names; these are
// then the case's sequences. A folder with one series needs no name where there is one channel, or where the folders X_0000, X_0001 … are channels.
func (c *Case) openImage(names []string, folders bool) (*source.Image, error) {
	if len(names) == 0 || !isFolder(c.Image) {
		return source.Open(c.Image, "")
	}
	if len(names) == 1 || folders {
		var several *volume.ChoiceError
		if image, err := source.Open(c.Image, ""); !errors.As(err, &several) {
			return image, err
		}
	}
	found, faults, err := Sequences(c.Image, names)
	if err != nil {
		return nil, err
	}
	for n, s := range found {
		one := seriesChannel{fault: faults[n]}
		if s != nil {
			one.id, one.grid, one.origin = s.ID, s.Grid, originOf(s)
		}
		c.sequences = append(c.sequences, one)
	}
	if faults[0] != nil {
		return nil, fmt.Errorf("it has no channel %s: %w", names[0], faults[0])
	}
	return source.Open(c.Image, c.series())
}

// series is the ID of the DICOM series that is the case's image; "" where its folder holds no other.
func (c *Case) series() string {
	if len(c.sequences) == 0 {
		return ""
	}
	return c.sequences[0].id
}

// Series returns the DICOM series that a case's image is, which its mask lies on; nil where it is none.
func (d *Dataset) Series(index int) (*dicom.Series, error) {
	c := d.Cases[index]
	if !isFolder(c.Image) {
		return nil, nil
	}
	image, err := source.Open(c.Image, c.series())
	if err != nil {
		return nil, fmt.Errorf("case %s: %w", c.ID, err)
	}
	return image.Series, nil
}

// noteFrames reports sequences that are put together though their headers do not say that their positions can be compared.
func (d *Dataset) noteFrames(c Case) {
	for _, channel := range d.Channels {
		if c.sequences != nil && (c.sequences[channel.Number].frame == "" || c.origin.frame == "") {
			d.problem(c.ID, false, "the headers of %s and %s do not both name a frame of reference: their positions are taken as those of one", d.channelNames[0], channel)
			return
		}
	}
}

// numberedCases reports whether the folders of all cases are called as nnU-Net's images, X_0000, X_0001 …
func numberedCases(cases []Case) bool {
	first := false
	for _, c := range cases {
		name := filepath.Base(c.Image)
		if !numbered(name) {
			return false
		}
		first = first || strings.HasSuffix(name, firstChannel)
	}
	return first
}

// sequence returns one of a case's sequences as an input, if it can be brought to the grid of the first.
func (d *Dataset) sequence(c *Case, channel Channel) (input, error) {
	if channel.Number >= len(c.sequences) {
		return input{}, fmt.Errorf("it has no channel %s: dataset.json names %d", channel, len(c.sequences))
	}
	s := c.sequences[channel.Number]
	if s.fault != nil {
		return input{}, fmt.Errorf("it has no channel %s: %w", channel, s.fault)
	}
	if err := c.fits(d, s.grid, s.origin); err != nil {
		return input{}, fmt.Errorf("channel %s: %w", channel, err)
	}
	return input{c.Image, s.id, 0}, nil
}
