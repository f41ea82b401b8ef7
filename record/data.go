package record

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/dataset/phantom"
	"github.com/nextslice/nextslice/internal/contents"
	"github.com/nextslice/nextslice/internal/tempdir"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/train/recipe"
)

// Data is what a run folder says about its data: what was made of them, and which case was used for what.
type Data struct {
	Name    string   `json:"name"`
	Layout  string   `json:"layout"`
	Classes []string `json:"classes"`
	Values  []int    `json:"values,omitempty"` // in masks of numbers that stand for the classes 1, 2 …; none if these are the values
	// Channels are those that were read together as one image, in order; none where one was read.
	Channels   []dataset.Channel `json:"channels,omitempty"`
	Preprocess preprocess.Config `json:"preprocess"`
	PoolItems  int               `json:"pool_items"`
	// Unannotated are the classes that nobody has looked for in a case, by its ID.
	Unannotated map[string][]string `json:"unannotated,omitempty"`
	Pool        []string            `json:"pool"`
	Validation  []string            `json:"validation"`
	Test        []string            `json:"test"`
	// LeftOut are the cases that could not be used, found when the folder was opened or when their voxels were read.
	LeftOut []LeftOut `json:"left_out,omitempty"`
	// Files are the hashes of what each case that is used was read from; none for the phantom, which the program makes.
	Files map[string]Sums `json:"files,omitempty"`
}

// Sums are the SHA-256 of a case's files: of each image, in the order of the channels, or of all slices where one stands for its series, and of the mask.
type Sums struct {
	Images []string `json:"images"`
	Mask   string   `json:"mask,omitempty"`
}

// Source is what a case is read from.
type Source struct {
	Images []string
	Mask   string // "" for none
}

// Files returns all paths.
func (s Source) Files() []string {
	if s.Mask == "" {
		return s.Images
	}
	return append(slices.Clone(s.Images), s.Mask)
}

// contentsFile keeps sizes and times of files with their hashes, so that a resumed run reads none again that nobody has touched.
const contentsFile = ".contents.json"

// Sum returns the hashes of the files of cases, and keeps what they are by in a folder that is a run's by now.
func (f *Folder) Sum(cases map[string]Source) (map[string]Sums, error) {
	seen := map[string]contents.Seen{}
	if err := readJSON(f.path(contentsFile), &seen); err != nil && !errors.Is(err, os.ErrNotExist) {
		seen = map[string]contents.Seen{} // it is a cache
	}
	now := map[string]contents.Seen{}
	sum := func(path string) (string, error) {
		if path == "" {
			return "", nil
		}
		s, _, err := seen[path].Now(path)
		now[path] = s
		return s.SHA256, err
	}
	sums := map[string]Sums{}
	for name, c := range cases {
		var s Sums
		for _, path := range c.Images {
			one, err := sum(path)
			if err != nil {
				return nil, err
			}
			s.Images = append(s.Images, one)
		}
		var err error
		if s.Mask, err = sum(c.Mask); err != nil {
			return nil, err
		}
		sums[name] = s
	}
	if _, err := os.Stat(f.path(ConfigFile)); errors.Is(err, os.ErrNotExist) || maps.Equal(seen, now) {
		return sums, nil
	}
	return sums, writeJSON(f.path(contentsFile), now)
}

// changedFiles says which cases have other bytes in other data, "" where none has, or one of both does not tell.
func (d Data) changedFiles(other Data) string {
	if d.Files == nil || other.Files == nil {
		return ""
	}
	var changed []string
	for _, name := range slices.Sorted(maps.Keys(d.Files)) {
		now, there := other.Files[name]
		before := d.Files[name]
		switch {
		case !there: // a case that is missing is told as such
		case !slices.Equal(before.Images, now.Images) && before.Mask != now.Mask:
			changed = append(changed, name+" (image and mask)")
		case !slices.Equal(before.Images, now.Images):
			changed = append(changed, name+" (image)")
		case before.Mask != now.Mask:
			changed = append(changed, name+" (mask)")
		}
	}
	if len(changed) == 0 {
		return ""
	}
	return "files have other contents than then: " + strings.Join(changed, ", ")
}

// Unchecked says in words what of other data could not be compared with d, which are those of a place: "" where the bytes of all files were, and
// where the program makes the data. Where they were not, what there is to outline on the slices of the pool is compared, if it is known of both:
// of d by its slices.csv; nil is none. Then an error says what differs.
func (d Data) Unchecked(place string, table []byte, now Data, pool []Slice) (text string, err error) {
	switch {
	case d.Files != nil && now.Files != nil, d.Files == nil && now.Files == nil && d.Name == Phantom && now.Name == Phantom:
		return "", nil
	case d.Files == nil:
		text = place + " has no hashes of the files it was made of, so that it was not checked whether images and masks are the same"
	default:
		text = place + " was made of files, and these data are synthetic, so that it was not checked whether images and masks are the same"
	}
	if table == nil || pool == nil {
		return text, nil
	}
	before, err := ReadSlices(bytes.NewReader(table))
	if err != nil {
		return "", fmt.Errorf("%s: %w", SlicesFile, err)
	}
	then := map[Slice]bool{}
	for _, s := range before {
		then[s] = true
	}
	var changed []string
	for _, s := range pool {
		if !then[s] && !slices.Contains(changed, s.Case) {
			changed = append(changed, s.Case)
		}
	}
	if len(changed) > 0 {
		return "", fmt.Errorf("masks have changed: what there is to outline in %s is not what %s says", strings.Join(changed, ", "), SlicesFile)
	}
	return text + "; the number of outlined pixels on each slice of the pool is the same", nil
}

// LeftOut is a case that could not be used.
type LeftOut struct {
	Case string `json:"case"`
	Why  string `json:"why"` // in one line, with the file
}

// Differs says in words how other data differ from d; "" where an experiment on d may go on with them. Why cases were left out, which
// may be worded otherwise, does not count. Data that were recorded before cases were listed as left out, or without one, may meet further
// ones, such as a new damaged file: the cases that are used are the same.
func (d Data) Differs(other Data) string {
	left := func(d Data) (ids []string) {
		for _, c := range d.LeftOut {
			ids = append(ids, c.Case)
		}
		slices.Sort(ids)
		return ids
	}
	now, before := left(other), left(d)
	var changes []string
	for _, lists := range []struct {
		more, less []string
		text       string
	}{{now, before, "now left out: "}, {before, now, "no longer left out: "}} {
		only := slices.DeleteFunc(slices.Clone(lists.more), func(id string) bool { return slices.Contains(lists.less, id) })
		if len(only) > 0 {
			changes = append(changes, lists.text+strings.Join(only, ", "))
		}
	}
	known := len(d.LeftOut) > 0
	if d.Values == nil { // not recorded before; the classes are called after them
		other.Values = nil
	}
	if d.Channels == nil { // not recorded before; the configuration says which
		other.Channels = nil
	}
	files := d.changedFiles(other)
	d.LeftOut, other.LeftOut, d.Files, other.Files = nil, nil, nil, nil
	switch same := reflect.DeepEqual(d, other); {
	case same && (!known || len(changes) == 0):
		return files
	case len(changes) > 0:
		return "cases " + strings.Join(changes, "; ")
	}
	return "cases, classes or preprocessing have changed"
}

// The phantom data set that a simulation uses: the same for every seed of the experiment.
const (
	PhantomCases = 24
	PhantomSeed  = 1
)

// ConfigError is a fault of what was asked for, as opposed to one of the world.
type ConfigError struct{ Err error }

func (e *ConfigError) Error() string { return e.Err.Error() }
func (e *ConfigError) Unwrap() error { return e.Err }

// OpenData opens the data set of an experiment. The phantom lies in a temporary folder until it is closed; progress, which
// may be nil, counts its cases.
func (c Config) OpenData(ctx context.Context, progress func(done, of int)) (set *dataset.Dataset, closeData func(), err error) {
	dir := c.Data
	closeData = func() {}
	if dir == Phantom {
		temp, remove, err := tempdir.Make("phantom")
		if err != nil {
			return nil, nil, err
		}
		dir, closeData = filepath.Join(temp, "phantom"), remove
		if err := phantom.Write(ctx, dir, PhantomCases, PhantomSeed, progress); err != nil {
			closeData()
			return nil, nil, err
		}
	}
	set, err = dataset.OpenWith(ctx, dir, dataset.OpenOptions{Ignore: c.Ignore})
	if err == nil {
		err = c.useData(set)
	}
	if err != nil {
		closeData()
		return nil, nil, err
	}
	return set, closeData, nil
}

// Preprocess returns how slices are made: on the canvas of the configuration, or on one that its preset allows.
func (c Config) Preprocess(set *dataset.Dataset, axis int) preprocess.Config {
	preset, _ := recipe.FindPreset(c.Preset) // without one there is no limit
	p := set.PreprocessFor(axis, preset.Canvas, c.Canvas)
	p.Input, p.NaN = c.Input, c.NaN
	return p
}

// useData chooses the channel and the patients of a data set.
func (c Config) useData(set *dataset.Dataset) error {
	if err := set.Choose(c.Channel, c.Channels, c.Resample); err != nil {
		return &ConfigError{err}
	}
	if c.Patient != "" {
		if err := set.UsePatients(c.Patient); err != nil {
			return &ConfigError{err}
		}
	}
	if len(set.Labelled()) == 0 {
		return fmt.Errorf("%s: none of its %d cases has a mask: there is nothing to learn; nextslice inspect says how masks are found", c.Data, len(set.Cases))
	}
	if len(set.Classes) < 2 {
		return fmt.Errorf("%s: the masks hold no class beside the background: there is nothing to learn", c.Data)
	}
	return nil
}

// RecordData writes data.json, or refuses to go on with data that are not those of the run's first part. A folder of an older program, without hashes
// of the files, gets those of now, and notice is told what could not be compared. pool is what there is to outline, nil where it was not measured.
func (f *Folder) RecordData(now Data, pool []Slice, notice func(string)) error {
	var before Data
	err := readJSON(f.path(DataFile), &before)
	if errors.Is(err, os.ErrNotExist) {
		return writeJSON(f.path(DataFile), now)
	}
	if err != nil {
		return err
	}
	changed := func(what, file string) error {
		return fmt.Errorf("the data are not those that %s was begun with: %s (see %s there); restore them, or choose another folder with --out", f.Dir, what, file)
	}
	if change := before.Differs(now); change != "" {
		return changed(change, DataFile)
	}
	table, err := os.ReadFile(f.path(SlicesFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	unchecked, err := before.Unchecked(f.Dir, table, now, pool)
	if err != nil {
		return changed(err.Error(), SlicesFile)
	}
	if unchecked != "" {
		notice(unchecked)
	}
	if before.Files == nil && now.Files != nil { // an older program's
		before.Files = now.Files
		return writeJSON(f.path(DataFile), before)
	}
	return nil
}

// initialItems is the file with the names of the items of each initial set.
const initialItems = "initial.json"

// RecordInitial writes the names of the items of each initial set, which cycles.jsonl does not repeat. It refuses other items than those that
// runs of the folder have started from.
func (f *Folder) RecordInitial(sets map[int][]string) error {
	before, err := f.Initial()
	if err != nil {
		return err
	}
	for set, names := range before {
		if now, ok := sets[set]; ok && !slices.Equal(names, now) {
			return fmt.Errorf("initial set %d of %s holds other slices than this program chooses on this machine (%s against %s): its runs could not be compared; choose another folder with --out",
				set, f.Dir, strings.Join(names, " "), strings.Join(now, " "))
		}
	}
	return writeJSON(f.path(initialItems), sets)
}

// Initial returns the names of the items of each initial set, or nil for a run folder that does not tell.
func (f *Folder) Initial() (sets map[int][]string, err error) {
	err = readJSON(f.path(initialItems), &sets)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return sets, err
}
