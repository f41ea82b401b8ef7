package pacs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
	"github.com/nextslice/nextslice/volume/source"
)

// Description is that of the series that Push makes.
const Description = "nextslice, not for diagnosis"

// PushOptions say what is pushed.
type PushOptions struct {
	Masks  string   // folder of masks called by their cases
	Names  []string // of the classes from 1 on, in masks that have no names of their own; nil takes those of the project that the masks are of
	SEG    dicom.SEG
	DryRun bool // nothing is written or sent
	// Server returns a client for the server that a case was pulled from.
	Server func(address string) (*Client, error)
}

// Sent is what became of a case's mask.
type Sent struct {
	Case     string
	To       string
	Instance string
	Before   bool     // it is what was stored last
	NoMask   bool     // the case has none, or one without a voxel to send; where one had been sent a warning says what stays on the server
	Warnings []string // one line each
	Err      error
}

// Push writes the mask of each case as a DICOM segmentation on the pulled series, seg/P001.dcm, reads it back, and stores it in its study. The newest
// object of a case on a server is to be its mask as it is now: a mask that is what was sent last is not sent again, and any other becomes a new
// object, also one that had been sent earlier. Of the labels of a project what a reviewer has refused is left out, and a warning says how much. Nothing is removed from a server: a mask whose voxels were all erased gives a warning that names the objects
// that stay there. each gets what became of a case. The error is one that stops everything.
func (f *Folder) Push(ctx context.Context, o PushOptions, each func(Sent)) error {
	masks, err := masksIn(o.Masks)
	if err != nil {
		return err
	}
	of, err := readProject(o.Masks)
	if err != nil {
		return err
	}
	if o.Names == nil {
		o.Names = of.names()
	}
	for _, one := range f.Cases() {
		sent, err := f.push(ctx, one, masks[one.Name], o, of)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && stops(err) {
			return err
		}
		if err != nil {
			sent.Err = fmt.Errorf("%s: %w", one.Name, err)
		}
		if !sent.NoMask {
			sent.Warnings = append(sent.Warnings, of.unfinished(one.Name)...)
		}
		each(sent)
	}
	return nil
}

// masksIn returns the masks of a folder by the cases that they are called by.
func masksIn(dir string) (map[string]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, e := range entries {
		name := strings.TrimSuffix(volume.TrimExt(e.Name()), ".seg")
		if e.IsDir() || strings.HasPrefix(name, ".") || !volume.IsImage(e.Name()) && !volume.IsDICOM(e.Name()) {
			continue
		}
		if other, ok := out[name]; ok {
			return nil, fmt.Errorf("%s: two masks of one case, %s and %s: move one of them away", dir, filepath.Base(other), e.Name())
		}
		out[name] = filepath.Join(dir, e.Name())
	}
	return out, nil
}

func (f *Folder) push(ctx context.Context, one Case, mask string, o PushOptions, of project) (sent Sent, err error) {
	sent = Sent{Case: one.Name}
	if mask == "" {
		sent.NoMask = true
		if slices.ContainsFunc(f.record.Pushed, func(p Pushed) bool { return p.Case == one.Name }) {
			client, err := o.Server(one.Server)
			if err != nil {
				return sent, err
			}
			sent.To = client.Address()
			sent.Warnings = f.stays(one.Name, sent.To, "it has no mask now")
		}
		return sent, nil
	}
	series, err := f.seriesOf(one)
	if err != nil {
		return sent, err
	}
	s, warnings, err := maskOn(mask, series, o.Names, func(s *volume.Segmentation) ([]string, error) { return of.withhold(one.Name, s) })
	sent.Warnings = warnings
	if err != nil {
		return sent, err
	}
	client, err := o.Server(one.Server)
	if err != nil {
		return sent, err
	}
	sent.To = client.Address()
	if s == nil {
		sent.NoMask = true
		sent.Warnings = append(sent.Warnings, f.stays(one.Name, sent.To, "there is nothing to send of its mask now")...)
		return sent, nil
	}
	content, err := contentOf(s, series, o.SEG)
	if err != nil {
		return sent, err
	}
	at := f.last(one.Name, sent.To)
	if at >= 0 && f.record.Pushed[at].Content != content {
		at = -1
	}
	if at >= 0 && f.record.Pushed[at].Stored {
		sent.Before, sent.Instance = true, f.record.Pushed[at].Instance
		return sent, nil
	}
	if o.DryRun {
		return sent, nil
	}
	if sent.To == one.Server {
		if changed, differs := f.changed(one, client.filesOf(ctx, one.Study, one.Series)); differs {
			sent.Warnings = append(sent.Warnings, fmt.Sprintf("its mask is of the %d files that were pulled, and the server has %d of the series by now", changed.Here, changed.Now))
		}
	}
	// Where a process was killed behind sending, the same object is sent again: servers keep the first.
	seg := o.SEG
	seg.Description = Description
	if seg.Made.IsZero() {
		seg.Made = time.Now()
	}
	if at >= 0 {
		seg.Made = f.record.Pushed[at].Time
	}
	path := filepath.Join(f.Dir, "seg", one.Name+".dcm")
	if sent.Instance, err = writeSegments(path, s, series, seg); err != nil {
		return sent, err
	}
	if at < 0 {
		at = len(f.record.Pushed)
		f.record.Pushed = append(f.record.Pushed, Pushed{Case: one.Name, To: sent.To, Instance: sent.Instance, Content: content, Time: seg.Made})
	}
	f.record.Pushed[at].Instance = sent.Instance
	if err := f.save(); err != nil {
		return sent, err
	}
	warning, err := client.Store(ctx, one.Study, sent.Instance, path)
	if err != nil {
		return sent, err
	}
	if warning != "" {
		sent.Warnings = append(sent.Warnings, warning)
	}
	f.record.Pushed[at].Stored, f.record.Pushed[at].Warning = true, warning
	return sent, f.save()
}

// last returns the place in the record of what was sent last of a case to a server, -1 where nothing was. It counts whether or not the server said that it was
// stored: where an answer was lost the object may be there, as the newest.
func (f *Folder) last(name, to string) int {
	for at, p := range slices.Backward(f.record.Pushed) {
		if p.Case == name && p.To == to {
			return at
		}
	}
	return -1
}

// sent returns the objects of a case that a server has, the newest first, also those of which it did not say so.
func (f *Folder) sent(name, to string) (instances []string) {
	for _, p := range slices.Backward(f.record.Pushed) {
		switch {
		case p.Case != name || p.To != to:
		case p.Stored:
			instances = append(instances, p.Instance)
		default:
			instances = append(instances, p.Instance+" (perhaps)")
		}
	}
	return instances
}

// stays returns a warning that names the objects of a case that a server keeps although there is none to send now; nil where there are none.
func (f *Folder) stays(name, to, why string) []string {
	stay := f.sent(name, to)
	if len(stay) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s, but what was sent is still at %s, the newest first: %s; push removes nothing: have it deleted there", why, to, strings.Join(stay, ", "))}
}

// seriesOf returns the series of a case. The error tells no description: a name may stand in it.
func (f *Folder) seriesOf(one Case) (*dicom.Series, error) {
	series, _, err := dicom.Find(f.path(one), "")
	if several, ok := errors.AsType[*volume.ChoiceError](err); ok {
		return nil, fmt.Errorf("the images of its series are %d stacks, and a mask is of one (%s): see which files they are with nextslice inspect, and move those of all but one out of its folder",
			len(several.Choices), strings.Join(several.Choices, ", "))
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("its folder cannot be taken as the series that was pulled: %w", err)
	case series.UID != one.Series:
		return nil, errors.New("its folder no longer holds the series that was pulled: move it away and pull again")
	}
	return series, nil
}

// maskOn reads a mask, takes out what withhold does, names its segments and puts it on its series; nil where it has no voxel.
func maskOn(path string, series *dicom.Series, names []string, withhold func(*volume.Segmentation) ([]string, error)) (*volume.Segmentation, []string, error) {
	s, warnings, err := source.ReadSegmentation(path, series)
	if err != nil {
		return nil, warnings, err
	}
	refused, err := withhold(s)
	if warnings = append(warnings, refused...); err != nil {
		return nil, warnings, err
	}
	left, err := nameSegments(s, names)
	if warnings = append(warnings, left...); err != nil {
		return nil, warnings, err
	}
	if s.Unit != volume.Millimetre && s.Size == series.Size {
		s.Grid = series.Grid
	}
	if s, err = s.On(series.Grid); err != nil {
		return nil, warnings, fmt.Errorf("%s does not lie on the series: %w", filepath.Base(path), err)
	}
	for _, segment := range s.Segments {
		if slices.Contains(s.Layers[segment.Layer], segment.Value) {
			return s, warnings, nil
		}
	}
	return nil, warnings, nil
}

// nameSegments is the rule what the segments of a mask are called that is sent:
//
//  1. Names that stand in the file and names that were given count as volume.Segmentation.Name has it.
//  2. A segment that is still without a name is an error.
//  3. Segments whose names mean that nobody annotated their voxels (see volume.MeansIgnore), and volume.Ignored without a name, are
//     taken out, and a warning says so.
func nameSegments(s *volume.Segmentation, names []string) (warnings []string, err error) {
	named := s.Named()
	if err := s.Name(names); err != nil {
		return nil, err
	}
	var segments []volume.Segment
	for _, segment := range s.Segments {
		v, name := int(segment.Value), segment.Name
		switch nameless := volume.Nameless(name); {
		case nameless && v == volume.Ignored:
			name = "unsure"
		case nameless && !named && (volume.NumberIn(name) == 0 || volume.NumberIn(name) == v):
			return warnings, fmt.Errorf("its class %d has no name, without which nobody knows what it is: give --names", v)
		case nameless:
			return warnings, fmt.Errorf("its segment %q has no name, without which nobody knows what it is: name it in the file", name)
		}
		if volume.MeansIgnore(name) {
			if slices.Contains(s.Layers[segment.Layer], segment.Value) {
				warnings = append(warnings, fmt.Sprintf("its %s voxels (%d) are not sent", strings.TrimSpace(name), v))
			}
			continue
		}
		segments = append(segments, segment)
	}
	s.Segments = segments
	return warnings, nil
}

// contentOf returns a hash of all that makes an object but its time.
func contentOf(s *volume.Segmentation, on *dicom.Series, seg dicom.SEG) (string, error) {
	seg.Made, seg.Description = time.Time{}, ""
	h := sha256.New()
	err := json.NewEncoder(h).Encode(struct {
		Series   string
		Segments []volume.Segment
		SEG      dicom.SEG
	}{on.UID, s.Segments, seg})
	for _, layer := range s.Layers {
		h.Write(layer)
	}
	return hex.EncodeToString(h.Sum(nil)), err
}

// writeSegments writes a segmentation, and compares what is read back with what was meant: servers store what they do not understand.
func writeSegments(path string, s *volume.Segmentation, on *dicom.Series, seg dicom.SEG) (instance string, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	if err := seg.Write(path, s, on); err != nil {
		return "", err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return "", err
	}
	head, err := dicom.ReadHead(path)
	if err != nil {
		return "", err
	}
	if same, err := on.SameIdentity(path); err != nil || !same {
		return "", errors.Join(fmt.Errorf("%s says otherwise whose it is than the images do: nothing was sent", path), err)
	}
	back, _, err := dicom.ReadSegments(path, on)
	if err != nil {
		return "", err
	}
	if len(back.Segments) != len(s.Segments) {
		return "", fmt.Errorf("%s has %d segments instead of %d: nothing was sent", path, len(back.Segments), len(s.Segments))
	}
	for i, a := range s.Segments {
		b := back.Segments[i]
		for v, value := range s.Layers[a.Layer] {
			if (value == a.Value) != (back.Layers[b.Layer][v] == b.Value) {
				return "", fmt.Errorf("%s reads back otherwise than it was written: nothing was sent", path)
			}
		}
	}
	return head.Instance, nil
}
