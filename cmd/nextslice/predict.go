package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/cmd/nextslice/internal/progress"
	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/internal/inputs"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
	"github.com/nextslice/nextslice/volume/source"
)

type predictCommand struct {
	Model string `arg:"" placeholder:"MODEL" help:"Model file: of the train command, of simulate --save-models, or the ONNX file of a network of another program."`
	In    string `arg:"" placeholder:"IN" help:"Image of any format, folder of a DICOM series, or folder of cases."`
	Out   string `arg:"" placeholder:"OUT" help:"Mask to write: .nii.gz, .nii, .mha, .nrrd, .seg.nrrd, or .dcm (DICOM SEG) for a DICOM series; for a folder of cases, a folder."`

	Uncertainty string   `placeholder:"PATH" help:"Write the uncertainty map too: a .nii.gz or .nii file, for a folder of cases a folder."`
	Format      string   `default:"nii.gz" enum:"nii.gz,nii,mha,nrrd,seg.nrrd" placeholder:"EXT" help:"Format of the masks of a folder of cases: nii.gz (the default), nii, mha, nrrd or seg.nrrd."`
	Channel     *int     `placeholder:"N" help:"Channel to read of images that hold several, from 0; the default is that of the training."`
	Also        []string `sep:"none" placeholder:"FILE" help:"Image of the next channel, where the model takes several of a case and IN is the first; may be repeated, in the order of the training."`
	Resample    bool     `help:"Bring channels that lie on another grid than the first of their case to that grid, by linear interpolation."`
	NaN         *float64 `name:"nan" placeholder:"VALUE" help:"What NaN and infinite voxels are read as; the default is that of the training."`
	Series      string   `placeholder:"UID" help:"DICOM series to take, where a folder holds several."`
	engineFlag
	segFlags
	Threads threadCount `default:"0" placeholder:"N" help:"Threads; 0 is all cores."`
	Force   bool        `help:"Replace masks and maps that are there, but never an input. Without it the masks of a folder that are in OUT stay, and so do maps; with --uncertainty a map that is missing beside a mask is written."`
}

func (predictCommand) Help() string {
	return `Segments a case on its own grid: the mask lies over the image in every viewer. Axes may run in any order and direction that
the header tells, and holds the label values of the training's masks, also where these leave gaps. The uncertainty map is the entropy of the class probabilities at each voxel, in nats.

A model of several channels takes all of a case: a 4-D file, nnU-Net's X_0000 with X_0001 beside it, the folder of a DICOM case whose series are
called as the channels, or --also; in a folder of cases all but the last.

The network of an ONNX file runs by ONNX Runtime ('pip install onnxruntime'); a YAML file beside it says what it sees: see
docs/how-to/use-your-own-network.md.

Beside masks of numbers in a folder stands a dataset.json with the names of the model's classes, by which evaluate compares them.

Of a folder of cases, those that cannot be read are listed and the others are segmented; the exit code is then 1, as it is where images beside the cases, that
may be further ones, are not read. The same command goes on where it was interrupted.

Examples:
  nextslice predict prostate.safetensors patient7.mha patient7.seg.nrrd
  nextslice predict prostate.safetensors scans/patient7 patient7.dcm --uncertainty patient7-entropy.nii.gz
  nextslice predict prostate.safetensors DIR masks --uncertainty entropies
  nextslice predict other.onnx patient7.nii.gz mask.nii.gz
  nextslice predict two.safetensors patient7-t2.nii.gz mask.nii.gz --also patient7-adc.nii.gz
  nextslice predict two.safetensors scans/patient7 patient7.dcm --resample`
}

func (c predictCommand) Run(ctx context.Context, s streams) error {
	kind, err := source.KindOf(c.In)
	if err != nil {
		return err
	}
	cases := c.Series == "" && kind == source.Cases
	if cases && len(c.Also) > 0 {
		return usagef("--also: it is for a single case, and %s is a folder of cases", c.In)
	}
	if !cases {
		if err := c.checkFiles(kind); err != nil {
			return err
		}
	}
	e, err := c.engine(s, int(c.Threads)).New(ctx, 0)
	if err != nil {
		return usageError{err}
	}
	defer e.Close()
	m, err := model.Load(e, c.Model)
	if err != nil {
		return err
	}
	nanFlag{c.NaN}.set(&m.Preprocess.NaN)
	if err := m.Preprocess.Validate(); err != nil {
		return usagef("--%v", err)
	}
	if cases && c.isCase(m) {
		if err := c.checkFiles(kind); err != nil {
			return err
		}
		cases = false
	}
	if c.Channel != nil && len(m.Channels) > 0 {
		return usagef("--channel: the model says itself what it takes of a case: %s", dataset.DescribeChannels(m.Channels))
	}
	if cases {
		err = c.folder(ctx, s, m)
	} else {
		err = c.file(ctx, s, m)
	}
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted; masks that are written are whole")
	}
	return err
}

// unfinished is the name of an uncertainty map until the mask is written too: a run that is killed can be repeated as it stands.
func unfinished(entropy string) string {
	stem, ext, _ := strings.Cut(filepath.Base(entropy), ".nii")
	return filepath.Join(filepath.Dir(entropy), "."+stem+".unfinished.nii"+ext)
}

// resumes reports whether a run was killed behind the mask of a single case and before its map had its name. Whose map is unfinished nobody knows: it is
// computed again, and the mask, which somebody may have corrected, stays.
func (c predictCommand) resumes() bool {
	return c.Uncertainty != "" && !c.Force && exists(c.Out) && !exists(c.Uncertainty) && exists(unfinished(c.Uncertainty))
}

// checkInputs refuses outputs that are among the files that are read.
func checkInputs(files []string, outputs ...string) error {
	for _, path := range outputs {
		if file, is := inputs.Among(path, files); is {
			return fmt.Errorf("%s is an input (%s), which is never replaced: give the output another name", path, file)
		}
	}
	return nil
}

// filesOf returns the files that images and masks are read from, but for those in folders.
func filesOf(paths ...string) (files []string) {
	for _, path := range paths {
		files = append(files, path)
		if more, err := volume.Files(path); err == nil {
			files = append(files, more...)
		}
	}
	return files
}

// checkFiles refuses outputs of a single case that could not be written.
func (c predictCommand) checkFiles(kind source.Kind) error {
	if volume.IsDICOM(c.Out) && kind != source.Series && kind != source.Cases {
		return usagef("%s: a DICOM SEG refers to the DICOM series that it lies on, and %s is none", c.Out, c.In)
	}
	if err := checkInputs(slices.Concat(filesOf(c.In), filesOf(c.Also...), model.Files(c.Model)), c.Out, c.Uncertainty); err != nil {
		return err
	}
	if err := checkOutput(c.Out, true, c.Force || c.resumes()); err != nil || c.Uncertainty == "" {
		return err
	}
	if !strings.HasSuffix(c.Uncertainty, ".nii.gz") && !strings.HasSuffix(c.Uncertainty, ".nii") {
		return usagef("--uncertainty %s: want a name that ends in .nii.gz or .nii", c.Uncertainty)
	}
	if filepath.Clean(c.Uncertainty) == filepath.Clean(c.Out) {
		return usagef("--uncertainty: want another file than OUT")
	}
	return checkFree(c.Uncertainty, c.Force)
}

// file segments one case.
func (c predictCommand) file(ctx context.Context, s streams, m *model.Model) error {
	image, sequences, err := c.open(m)
	if err != nil {
		return err
	}
	warn(s.err, image.Warnings)
	how, err := c.seg()
	if err != nil {
		return err
	}
	var files []string // that are read beside those of checkFiles
	for _, series := range append([]*dicom.Series{image.Series}, sequences...) {
		if series != nil {
			files = append(files, series.Files()...)
		}
	}
	for _, channel := range m.Channels {
		files = append(files, dataset.ChannelFile(c.In, channel.Number))
	}
	if err := checkInputs(files, c.Out, c.Uncertainty); err != nil {
		return err
	}
	resumes := c.resumes()
	images, err := c.images(m, image, sequences)
	if err != nil {
		return err
	}
	p := progress.New(s.err)
	defer p.End()
	prediction, err := m.Segment(ctx, images, c.Uncertainty != "", func(done, of int) {
		p.Show(float64(done)/float64(of), fmt.Sprintf("slice %d/%d", done, of))
	})
	p.End()
	if err != nil {
		return fmt.Errorf("%s: %w", c.In, err)
	}
	warn(s.err, prediction.Warnings)
	mask := func() error {
		if resumes {
			return nil
		}
		_, err := source.WriteSegmentation(c.Out, m.Segments(prediction.Mask), image.Series, how)
		return err
	}
	if err := writeBoth(mask, prediction, c.Uncertainty); err != nil {
		return err
	}
	if resumes {
		fmt.Fprintf(s.out, "%s: was written by a run that was interrupted, and stays; %s is now beside it\n", c.Out, c.Uncertainty)
		return nil
	}
	fmt.Fprintf(s.out, "%s: %s\n", c.Out, describeVoxels(prediction.Mask, m.Info))
	return nil
}

// writeBoth writes a mask, and if entropy is not "" the map that goes with it. The map gets its name last: where it has it, the mask is there.
func writeBoth(mask func() error, prediction *model.Prediction, entropy string) error {
	if entropy == "" {
		return mask()
	}
	if err := volume.WriteVolume(unfinished(entropy), prediction.Uncertainty); err != nil {
		return err
	}
	if err := mask(); err != nil {
		return err
	}
	return atomicfile.Rename(unfinished(entropy), entropy)
}

// channel returns the chosen channel, or that of the training; nil where there was only one.
func (c predictCommand) channel(m *model.Model) *int {
	if c.Channel == nil && m.Channel > 0 {
		return &m.Channel
	}
	return c.Channel
}

// folder segments the cases of a folder. A mask that is there may be a person's by now: it is replaced by --force alone, and a map that is missing
// beside it is written by itself. A map that is there stays too, beside a new mask, which is told. No input is replaced.
func (c predictCommand) folder(ctx context.Context, s streams, m *model.Model) error {
	var outputs []string
	for _, dir := range []string{c.Out, c.Uncertainty} {
		if dir == "" {
			continue
		}
		if info, err := os.Stat(dir); (err != nil || !info.IsDir()) && (volume.IsImage(dir) || volume.IsDICOM(dir)) {
			return usagef("%s: it is called as a file, and %s is a folder of cases, whose masks and maps are written into folders: choose another name; --format says how the masks are written", dir, c.In)
		}
		outputs = append(outputs, dir)
	}
	set, err := dataset.OpenWith(ctx, c.In, dataset.OpenOptions{NoMasks: true, Channels: channelNames(m), Outputs: outputs})
	if err != nil {
		return err
	}
	if len(m.Channels) > 0 {
		if err := set.UseChannelsOf(m.Channels, c.Resample); err != nil {
			return fmt.Errorf("channels: %w", err)
		}
	} else if channel := c.channel(m); channel != nil {
		if err := set.Choose(*channel, nil, c.Resample); err != nil {
			return usagef("--%v", err)
		}
		set.Problems = slices.DeleteFunc(set.Problems, dataset.Problem.OneIsRead)
	}
	files, folders := imagesOf(set)
	for _, dir := range outputs {
		if same(dir, c.In) || slices.ContainsFunc(folders, func(of string) bool { return same(dir, of) }) {
			return usagef("%s: choose another folder than that of the cases", dir)
		}
	}
	for _, dir := range outputs {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	if c.Format == "nii.gz" && c.Uncertainty != "" && same(c.Out, c.Uncertainty) {
		return usagef("--uncertainty: want another folder than OUT, where the masks have the names of the maps")
	}
	if err := c.nameValues(s, m); err != nil {
		return err
	}
	p := progress.New(s.err)
	defer p.End()
	written, there, beside, kept, faults, unread := 0, 0, 0, 0, 0, 0
	for _, problem := range set.Problems {
		switch {
		case problem.LeftOut && problem.Case == "":
			unread++
		case problem.LeftOut:
			faults++
		}
		p.Line("%s", problem)
	}
	tests := filepath.Join(c.In, "imagesTs")
	if some, err := os.ReadDir(tests); err == nil && len(some) > 0 && (set.Layout == dataset.Decathlon || set.Layout == dataset.NNUNet) {
		p.Line("%s is not segmented, since the cases are the others of the data set: name that folder to segment it", tests)
	}
	masks := map[string]string{} // of the cases so far, by their folded names
	for i, one := range set.Cases {
		name := strings.ReplaceAll(one.ID, "/", "_")
		mask, entropy := filepath.Join(c.Out, name+"."+c.Format), ""
		if c.Uncertainty != "" {
			entropy = filepath.Join(c.Uncertainty, name+".nii.gz")
		}
		if other := masks[volume.FoldName(name)]; other != "" && same(other, mask) {
			faults++
			p.Line("case %s: its mask would be %s, that of another case, since letter case does not count there: rename one of them", one.ID, other)
			continue
		}
		masks[volume.FoldName(name)] = mask
		if !c.Force && exists(mask) {
			there++
			if entropy == "" || exists(entropy) {
				continue
			}
			mask = ""
		}
		if mask != "" && entropy != "" && !c.Force && exists(entropy) {
			kept++
			p.Line("case %s: %s is there and stays, though the mask is new; --force replaces both", one.ID, entropy)
			entropy = ""
		}
		if err := checkInputs(files, mask, entropy); err != nil {
			faults++
			p.Line("case %s: %v", one.ID, err)
			continue
		}
		p.Show(float64(i)/float64(len(set.Cases)), fmt.Sprintf("case %d/%d", i+1, len(set.Cases)))
		switch err := predictCase(ctx, m, set, i, mask, entropy, p); {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			faults++
			p.Line("%v", err)
		case mask == "":
			beside++
		default:
			written++
		}
	}
	p.End()
	fmt.Fprintf(s.out, "%s: %d masks", c.Out, written)
	if there > 0 {
		fmt.Fprintf(s.out, ", %d were there", there)
	}
	if beside > 0 {
		fmt.Fprintf(s.out, ", %d uncertainty maps beside these", beside)
	}
	if kept > 0 {
		fmt.Fprintf(s.out, ", %d uncertainty maps were there", kept)
	}
	fmt.Fprintln(s.out)
	var left []string
	if faults > 0 {
		left = append(left, fmt.Sprintf("cases without a mask: %d", faults))
	}
	if unread > 0 {
		left = append(left, "images beside the cases that are not read, see above")
	}
	if len(left) > 0 {
		return errors.New(strings.Join(left, "; "))
	}
	return nil
}

// imagesOf returns the files that the images of a data set are read from, as far as they do not lie in folders of DICOM series, and the folders in which they and these lie.
func imagesOf(set *dataset.Dataset) (files, folders []string) {
	for _, one := range set.Cases {
		images, _ := one.Files()
		for _, path := range images {
			in := path
			if info, err := os.Stat(path); err != nil || !info.IsDir() {
				files, in = append(files, path), filepath.Dir(path)
			}
			if !slices.Contains(folders, in) {
				folders = append(folders, in)
			}
		}
	}
	return files, folders
}

// nameValues writes what the label values of a folder's masks mean to its dataset.json, where their format has no names and the model has some.
// One that is there is left as it is.
func (c predictCommand) nameValues(s streams, m *model.Model) error {
	labels, some := map[string]int{}, false
	for _, segment := range m.Segments(&volume.Mask{}).Segments {
		labels[segment.Name] = int(segment.Value)
		some = some || segment.Name != fmt.Sprint("class ", segment.Value) && segment.Name != fmt.Sprint("value ", segment.Value)
	}
	if !some || c.Format == "seg.nrrd" {
		return nil
	}
	labels["background"] = 0
	text, err := json.MarshalIndent(map[string]any{"labels": labels}, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(c.Out, "dataset.json")
	if old, _, err := dataset.LabelsOf(c.Out); exists(path) {
		delete(labels, "background")
		if same := maps.EqualFunc(labels, old.Values, func(a int, b uint8) bool { return a == int(b) }); err != nil || !same {
			warn(s.err, []string{path + " names other classes than the model and is left as it is: take another folder for its masks"})
		}
		return nil
	}
	return atomicfile.Write(path, append(text, '\n'), 0o600)
}

// predictCase segments one case of a data set and writes mask and map, either of which may be "" for none.
func predictCase(ctx context.Context, m *model.Model, set *dataset.Dataset, index int, mask, entropy string, p *progress.Bar) error {
	id := set.Cases[index].ID
	images, err := set.Images(index)
	if err != nil {
		return err
	}
	prediction, err := m.Segment(ctx, images, entropy != "", nil)
	if err != nil {
		return fmt.Errorf("case %s: %w", id, err)
	}
	for _, w := range prediction.Warnings {
		p.Line("case %s: %s", id, w)
	}
	return writeBoth(func() error {
		if mask == "" {
			return nil
		}
		_, err := source.WriteSegmentation(mask, m.Segments(prediction.Mask), nil, dicom.SEG{})
		return err
	}, prediction, entropy)
}

// describeVoxels counts the voxels of each class.
func describeVoxels(m *volume.Mask, info model.Info) string {
	var count [256]int
	for _, class := range m.Data {
		count[class]++
	}
	text := describeGrid(m.Grid)
	for class := 1; class < len(info.Classes); class++ {
		text += fmt.Sprintf(", %s %d voxels", info.Classes[class], count[class])
		if info.Values != nil && info.Classes[class] != fmt.Sprint("value ", info.Values[class-1]) {
			text += fmt.Sprintf(" of value %d", info.Values[class-1])
		}
	}
	return text
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// same reports whether two paths lead to one folder.
func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
