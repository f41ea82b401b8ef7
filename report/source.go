package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/record"
)

// Source is an experiment as it was read: from one run folder, one record folder, or several of the same experiment.
type Source struct {
	Name     string
	Dirs     []string
	Settings Settings
	Data     record.Data
	Env      record.Env
	Runs     []record.Run
	Ceiling  []record.Run   // trainings on all slices of the pool, which are no runs of a strategy; see record.Ceiling
	Slices   []record.Slice // of the pool; nil where the record has none

	files   record.Export // the files of the first folder, without runs
	folders []folder      // those of Dirs
	initial map[initialSet]begun
}

// initialSet is an initial set by its number and how it was chosen, as in the names of strategies.
type initialSet struct {
	from string
	set  int
}

// begun is what a folder tells of an initial set.
type begun struct {
	dir   string
	items []string
}

// folder is a run folder or a record of a source, with what its runs are called here.
type folder struct {
	dir    string
	config []byte
	called naming
}

// naming says what the runs of a folder are called in an experiment that it was joined to. It is decided in Source.join.
type naming struct {
	grid string // the recipe of runs without one
	from string // what stands behind their strategies: how the initial sets were chosen
}

// unit returns what a unit of the folder is called. A ceiling has no initial set.
func (n naming) unit(u record.Unit) record.Unit {
	u.Grid = cmp.Or(u.Grid, n.grid)
	if u.Strategy != record.Ceiling {
		u.Strategy += n.from
	}
	return u
}

// Settings are the lines of the configuration that a report shows. It may have others.
type Settings struct {
	Data        string            `yaml:"data" json:"data"`
	Channel     int               `yaml:"channel" json:"channel,omitempty"`
	Channels    dataset.Selection `yaml:"channels" json:"channels,omitempty"`
	Resample    bool              `yaml:"resample" json:"resample,omitempty"`
	Ignore      int               `yaml:"ignore" json:"ignore,omitempty"`
	Empty       string            `yaml:"empty" json:"empty"`
	Strategies  []string          `yaml:"strategies" json:"strategies"`
	InitialSets int               `yaml:"initial-sets" json:"initial_sets"`
	InitialSize int               `yaml:"initial-size" json:"initial_size"`
	Initial     string            `yaml:"initial" json:"initial,omitempty"` // how initial sets are chosen, "" is random
	QuerySize   int               `yaml:"query-size" json:"query_size"`
	Cycles      int               `yaml:"cycles" json:"cycles"`
	Ceiling     bool              `yaml:"ceiling" json:"ceiling,omitempty"`
	Seed        uint64            `yaml:"seed" json:"seed"`
	Preset      string            `yaml:"preset" json:"preset"`
	Grid        []Recipe          `yaml:"grid" json:"grid,omitempty"`
}

// Recipe is a point of the grid of training hyper-parameters, with the values that it changes beside its name.
type Recipe map[string]any

// Name returns what the recipe is called, in records and tables.
func (r Recipe) Name() string {
	name, _ := r["name"].(string)
	return name
}

// Read reads run folders and record folders. Folders of one experiment, which differ at most in their strategies, their
// number of initial sets, how these are chosen, a ceiling and where the data lie, are joined; a run that two of them hold
// with other numbers is an error. Where initial sets are chosen in another way than in the first folder, "entropy+sb" is
// called "entropy+sb from typiclust" and is a strategy of its own. Runs with the same choice and the same number of the set are compared as pairs: that they
// began from other slices, as far as they tell, is an error.
func Read(dirs []string) ([]Source, error) {
	var sources []Source
	identities := map[string]int{}
	for _, dir := range dirs {
		s, err := read(dir)
		if err != nil {
			return nil, err
		}
		identity := s.identity()
		i, known := identities[identity]
		if !known {
			identities[identity] = len(sources)
			sources = append(sources, s)
			continue
		}
		if err := sources[i].join(s); err != nil {
			return nil, fmt.Errorf("%s and %s: %w", sources[i].Dirs[0], dir, err)
		}
	}
	tellApart(sources)
	return sources, nil
}

// tellApart gives experiments of one name, by which their files and tables are called, that of the folder above too, and a number where that is the same.
func tellApart(sources []Source) {
	named := map[string]int{}
	for _, s := range sources {
		named[s.Name]++
	}
	taken := map[string]int{}
	for i := range sources {
		s := &sources[i]
		if named[s.Name] > 1 {
			if above := nameOf(filepath.Join(s.Dirs[0], "..")); above != "record" && above != string(filepath.Separator) {
				s.Name = above + "-" + s.Name
			}
		}
		if taken[s.Name]++; taken[s.Name] > 1 {
			s.Name = fmt.Sprintf("%s-%d", s.Name, taken[s.Name])
		}
	}
}

func read(dir string) (Source, error) {
	f, err := record.Read(dir)
	if err != nil {
		return Source{}, err
	}
	s := Source{Name: nameOf(dir), Dirs: []string{dir}, files: f, folders: []folder{{dir: dir, config: f.Config}}}
	s.files.Runs = nil
	for _, r := range f.Runs {
		*s.list(r) = append(*s.list(r), r)
	}
	if err := yaml.Unmarshal(f.Config, &s.Settings); err != nil {
		return Source{}, fmt.Errorf("%s: %w", filepath.Join(dir, record.ConfigFile), err)
	}
	if s.Settings.Initial == active.InitialRandom {
		s.Settings.Initial = ""
	}
	if err := s.readInitial(dir); err != nil {
		return Source{}, err
	}
	for _, file := range []struct {
		name    string
		content []byte
		into    any
	}{{record.DataFile, f.Data, &s.Data}, {record.EnvFile, f.Env, &s.Env}} {
		if file.content == nil {
			continue
		}
		if err := json.Unmarshal(file.content, file.into); err != nil {
			return Source{}, fmt.Errorf("%s: %w", filepath.Join(dir, file.name), err)
		}
	}
	if f.Slices != nil {
		if s.Slices, err = record.ReadSlices(bytes.NewReader(f.Slices)); err != nil {
			return Source{}, fmt.Errorf("%s: %w; simulate --resume writes it anew where it is missing", filepath.Join(dir, record.SlicesFile), err)
		}
	}
	return s, nil
}

// list returns the list that a run belongs to.
func (s *Source) list(r record.Run) *[]record.Run {
	if r.Strategy == record.Ceiling {
		return &s.Ceiling
	}
	return &s.Runs
}

// nameOf returns the last element of a folder's path; of a record in a study's folder, STUDY/record, the study's.
func nameOf(dir string) string {
	if path, err := filepath.Abs(dir); err == nil {
		dir = path
	}
	if study := filepath.Dir(dir); filepath.Base(dir) == "record" && filepath.Dir(study) != study {
		return filepath.Base(study)
	}
	return filepath.Base(dir)
}

// identity is the same for folders whose runs can be compared with each other.
func (s Source) identity() string {
	var config map[string]any
	if err := yaml.Unmarshal(s.files.Config, &config); err != nil {
		return string(s.files.Config)
	}
	for _, free := range []string{"data", "strategies", "initial-sets", "initial", "grid", "ceiling"} {
		delete(config, free)
	}
	text, err := json.Marshal(config)
	if err != nil {
		return string(s.files.Config)
	}
	var data bytes.Buffer
	if err := json.Compact(&data, s.files.Data); err != nil {
		data.Write(s.files.Data)
	}
	return string(text) + data.String()
}

// join adds the runs of another folder of the same experiment. Of a run that both hold the longer one is kept.
func (s *Source) join(other Source) error {
	if base, ok := other.base(); ok && len(s.Settings.Grid) == 0 {
		s.rename(naming{grid: base})
	}
	if base, ok := s.base(); ok && len(other.Settings.Grid) == 0 {
		other.rename(naming{grid: base})
	}
	for _, r := range other.Settings.Grid {
		i := slices.IndexFunc(s.Settings.Grid, func(mine Recipe) bool { return mine.Name() == r.Name() })
		switch {
		case i < 0:
			s.Settings.Grid = append(s.Settings.Grid, r)
		case !reflect.DeepEqual(s.Settings.Grid[i], r):
			return fmt.Errorf("the recipe %s differs between them; report them separately", r.Name())
		}
	}
	if other.Settings.Initial != s.Settings.Initial {
		other.rename(naming{from: from + cmp.Or(other.Settings.Initial, active.InitialRandom)})
	}
	if err := s.joinInitial(other); err != nil {
		return err
	}
	for _, r := range slices.Concat(other.Runs, other.Ceiling) {
		list := s.list(r)
		i := slices.IndexFunc(*list, func(mine record.Run) bool { return mine.Unit == r.Unit })
		if i < 0 {
			*list = append(*list, r)
			continue
		}
		mine := (*list)[i]
		for c := range min(len(mine.Cycles), len(r.Cycles)) {
			if a, b := mine.Cycles[c].Measures.Mean.Dice3D, r.Cycles[c].Measures.Mean.Dice3D; a != b && !(a.N == 0 && b.N == 0) {
				return fmt.Errorf("%s, cycle %d differs: the same run was made twice, with different numbers; report them separately", r.Unit, c)
			}
		}
		if len(r.Cycles) > len(mine.Cycles) {
			(*list)[i] = r
		}
	}
	for _, name := range other.Settings.Strategies {
		if !slices.Contains(s.Settings.Strategies, name) {
			s.Settings.Strategies = append(s.Settings.Strategies, name)
		}
	}
	s.Settings.Ceiling = s.Settings.Ceiling || other.Settings.Ceiling
	s.Env = s.Env.With(other.Env)
	if s.Slices == nil {
		s.Slices, s.files.Slices = other.Slices, other.files.Slices
	}
	s.Settings.InitialSets = max(s.Settings.InitialSets, other.Settings.InitialSets)
	s.Dirs, s.folders = append(s.Dirs, other.Dirs...), append(s.folders, other.folders...)
	return nil
}

// base returns the name of the recipe that changes nothing, if there is a grid that has one.
func (s Source) base() (name string, ok bool) {
	for _, r := range s.Settings.Grid {
		if len(r) == 1 { // its name
			return r.Name(), true
		}
	}
	return "", false
}

// from stands between a strategy and the choice of its initial sets.
const from = " from "

// rename gives the runs of a source other names, and keeps these for its folders.
func (s *Source) rename(n naming) {
	for _, runs := range []*[]record.Run{&s.Runs, &s.Ceiling} {
		*runs = slices.Clone(*runs)
		for i := range *runs {
			(*runs)[i].Unit = n.unit((*runs)[i].Unit)
		}
	}
	s.folders, s.Settings.Strategies = slices.Clone(s.folders), slices.Clone(s.Settings.Strategies)
	for i := range s.folders {
		called := &s.folders[i].called
		called.grid, called.from = cmp.Or(called.grid, n.grid), called.from+n.from
	}
	for i := range s.Settings.Strategies {
		s.Settings.Strategies[i] += n.from
	}
	initial := map[initialSet]begun{}
	for which, one := range s.initial {
		which.from += n.from
		initial[which] = one
	}
	s.initial = initial
}

// readInitial keeps the items of the initial sets, as far as runs tell them: all runs from one set must have begun from the same.
func (s *Source) readInitial(dir string) error {
	s.initial = map[initialSet]begun{}
	first := map[int]record.Unit{}
	for _, r := range s.Runs {
		if len(r.Cycles) == 0 || r.Cycles[0].Initial == nil {
			continue
		}
		which, items := initialSet{set: r.Set}, r.Cycles[0].Initial
		if mine, known := s.initial[which]; known && !slices.Equal(mine.items, items) {
			return fmt.Errorf("%s: initial set %d holds other slices in the run %s than in %s (%s against %s): its runs cannot be compared",
				dir, r.Set, r.Unit, first[r.Set], strings.Join(items, " "), strings.Join(mine.items, " "))
		} else if !known {
			s.initial[which], first[r.Set] = begun{dir, items}, r.Unit
		}
	}
	return nil
}

// joinInitial adds the initial sets of another folder. Runs are paired by the number of their set, so a set that both know must be the same.
func (s *Source) joinInitial(other Source) error {
	for _, which := range slices.SortedFunc(maps.Keys(other.initial), func(a, b initialSet) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.set, b.set)) }) {
		one := other.initial[which]
		mine, known := s.initial[which]
		if known && !slices.Equal(mine.items, one.items) {
			return fmt.Errorf("initial set %d of %s holds other slices than that of %s (%s against %s): their runs cannot be compared; report them separately",
				which.set, one.dir, mine.dir, strings.Join(one.items, " "), strings.Join(mine.items, " "))
		}
		if !known {
			if s.initial == nil {
				s.initial = map[initialSet]begun{}
			}
			s.initial[which] = one
		}
	}
	return nil
}

// Export writes the record of an experiment to a folder. Several folders must have chosen their initial sets in one way.
// Records go from machine to machine, so an absolute path of the data is cut to its last element: simulate knows the data
// by their cases.
func (s Source) Export(dir string) error {
	for _, r := range s.Runs {
		if strings.Contains(r.Strategy, from) {
			return fmt.Errorf("the initial sets of %s are chosen in several ways: export each of them by itself", strings.Join(s.Dirs, ", "))
		}
	}
	f := s.files
	if len(s.Dirs) > 1 {
		var err error
		if f.Env, err = s.Env.JSON(); err != nil {
			return err
		}
		var configs [][]byte
		for _, one := range s.folders {
			configs = append(configs, one.config)
		}
		if f.Config, err = record.JoinConfigs(configs...); err != nil {
			return err
		}
	}
	f.Runs = slices.Concat(s.Runs, s.Ceiling)
	f.Config = withoutFolder(f.Config)
	return f.Write(dir)
}

// absolute matches paths from the root, on any system: a record is read on others than it was made on.
var absolute = regexp.MustCompile(`^([A-Za-z]:)?[/\\]`)

// withoutFolder returns a configuration with the last element of the data's path, if that is absolute.
func withoutFolder(config []byte) []byte {
	lines := bytes.SplitAfter(config, []byte("\n"))
	for i, line := range lines {
		if !bytes.HasPrefix(line, []byte("data:")) {
			continue
		}
		var c struct{ Data string }
		if yaml.Unmarshal(line, &c) != nil {
			continue
		}
		if !absolute.MatchString(c.Data) {
			continue
		}
		if !strings.HasPrefix(c.Data, "/") {
			c.Data = strings.ReplaceAll(c.Data, `\`, "/")
		}
		c.Data = path.Base(c.Data)
		if text, err := yaml.Marshal(c); err == nil {
			lines[i] = text
		}
	}
	return bytes.Join(lines, nil)
}
