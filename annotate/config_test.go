package annotate_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/annotate/store"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/volume"
)

func refusedAs(t *testing.T, what string, o annotate.Options, want string) {
	t.Helper()
	err := tryOpen(t, o)
	if _, wrong := errors.AsType[*annotate.ConfigError](err); !wrong || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: want %q, got %v", what, want, err)
	}
}

// stored changes the configuration of a closed project, as an older program did.
func stored(t *testing.T, dir string, change func(*annotate.Config)) {
	t.Helper()
	s := must(store.Open(t.Context(), dir, time.Now))
	var c annotate.Config
	name := must(s.Config(t.Context(), &c))
	change(&c)
	if err := errors.Join(s.SetConfig(t.Context(), name, c), s.Close()); err != nil {
		t.Fatal(err)
	}
}

// What cannot be applied to the data, or carried out by this machine, is not stored: the next start is as before. What a project was begun with cannot be changed, the patients' pattern as
// little as the rest.
func TestConfigurationIsTriedFirst(t *testing.T) {
	data, dir := annotatetest.Data(t, 4), filepath.Join(t.TempDir(), "project")
	o := annotate.Options{Data: data, Dir: dir, Axis: 2}
	with := func(change func(*annotate.Config)) annotate.Options {
		o := o
		o.Change = change
		return o
	}
	patient := func(pattern string) annotate.Options {
		return with(func(c *annotate.Config) { c.Patient = pattern })
	}
	refusedAs(t, "a new project", patient("("), "patient: error parsing regexp")
	refusedAs(t, "a new project", patient("x"), `patient: "x" finds nothing`)
	small := with(func(c *annotate.Config) { c.QuerySize = 3 })
	small.Try = func(annotate.Config) error { return errors.New("no such unit") }
	if err := tryOpen(t, small); err == nil || err.Error() != "no such unit" {
		t.Error(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a refused configuration leaves a folder")
	}

	if err := tryOpen(t, patient("c[01]|c")); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"(", "x", "c", ""} {
		err := tryOpen(t, patient(pattern))
		if err == nil {
			t.Errorf("patient %q was taken", pattern)
		}
		if err := tryOpen(t, o); err != nil {
			t.Errorf("after patient %q: %v", pattern, err)
		}
	}
	refusedAs(t, "another pattern", patient("c"), "begun with a different patient")
	if err := tryOpen(t, small); err == nil || !strings.Contains(err.Error(), "no such unit") {
		t.Error(err)
	}
	p := must(annotate.Open(t.Context(), o))
	if p.Config.QuerySize != 10 || p.Config.Patient != "c[01]|c" {
		t.Errorf("stored: %+v", p.Config)
	}
	p.Close()

	// A pattern that an older program stored is told, and can be replaced.
	for _, pattern := range []string{"(", "x"} {
		stored(t, dir, func(c *annotate.Config) { c.Patient = pattern })
		refusedAs(t, "the stored pattern", o, "patient: ")
		found := must(annotate.Check(t.Context(), dir))
		if told := strings.Contains(strings.Join(found.Faults, "\n"), "configuration cannot be carried out: patient"); told != (pattern == "(") { // the other takes the data
			t.Errorf("check of %q: %q", pattern, found.Faults)
		}
		if err := tryOpen(t, patient("c[01]|c")); err != nil {
			t.Error(err)
		}
	}
	if found := must(annotate.Check(t.Context(), dir)); len(found.Faults) > 0 {
		t.Errorf("faults: %q", found.Faults)
	}
}

// All flags of new projects are fixed.
func TestWhatAProjectWasBegunWith(t *testing.T) {
	o := annotate.Options{Data: annotatetest.Data(t, 4), Dir: filepath.Join(t.TempDir(), "project"), Axis: 2}
	if err := tryOpen(t, o); err != nil {
		t.Fatal(err)
	}
	zero := 0.0
	for name, change := range map[string]func(*annotate.Config){
		"seed": func(c *annotate.Config) { c.Seed = 1 }, "ignore": func(c *annotate.Config) { c.Ignore = 9 }, "channel": func(c *annotate.Config) { c.Channel = 1 },
		"nan": func(c *annotate.Config) { c.Preprocess.NaN = &zero }, "patient": func(c *annotate.Config) { c.Patient = "c" }, "initial size": func(c *annotate.Config) { c.InitialSize = 3 },
		"cold start": func(c *annotate.Config) { c.ColdStart = annotate.ColdStrided }, "masks": func(c *annotate.Config) { c.Masks = annotate.MasksIgnore },
		"validation cases": func(c *annotate.Config) { c.ValidationCases = []string{"c1"} }, "lockstep": func(c *annotate.Config) { c.Lockstep = true },
	} {
		changed := o
		changed.Change = change
		refusedAs(t, name, changed, "begun with a different "+name)
	}
	axis, classes := o, o
	axis.Axis, classes.Classes = 1, []string{"organ"}
	refusedAs(t, "axis", axis, "begun with a different axis")
	refusedAs(t, "classes", classes, "begun with a different classes")
}

// Classes of a new project have names that masks with them can be read back by. Projects that have others go on.
func TestNamesOfClasses(t *testing.T) {
	data, dir := annotatetest.Data(t, 3), filepath.Join(t.TempDir(), "project")
	if err := os.RemoveAll(filepath.Join(data, "labels")); err != nil {
		t.Fatal(err)
	}
	named := func(names ...string) annotate.Options {
		return annotate.Options{Data: data, Dir: dir, Axis: 2, Classes: names}
	}
	for _, names := range []string{"a,a", "A,a", "a,", "background,x", "ignore", "unsure,b", "a\nb", "a, A"} {
		refusedAs(t, names, named(strings.Split(names, ",")...), "classes: ")
		if _, err := os.Stat(dir); err == nil {
			t.Fatal("a refused name leaves a folder")
		}
	}
	is := func(o annotate.Options, want ...string) {
		t.Helper()
		p, err := annotate.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		var got []string
		for _, c := range p.Config.Classes[1:] {
			got = append(got, c.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("classes %q, want %q", got, want)
		}
	}
	is(named("liver", " tumour"), "liver", "tumour")
	is(named("liver", " tumour"), "liver", "tumour")
	refusedAs(t, "another with the name of one", named("liver", "tumour", "Liver"), "classes: two classes")
	is(named("liver", "tumour", "vessel "), "liver", "tumour", "vessel")
	// As older programs stored them, by the same command lines.
	for _, names := range [][]string{{"liver", " tumour"}, {"a", "a"}, {"a", ""}, {"background", "x"}, {"unsure", "b"}} {
		stored(t, dir, func(c *annotate.Config) {
			c.Classes = annotate.MakeClasses(append([]string{"background"}, names...))
		})
		is(named(), names...)
		is(named(names...), names...)
	}
}

// Validation cases leave some to train on.
func TestAllCasesForValidation(t *testing.T) {
	o := annotate.Options{Data: annotatetest.Data(t, 2), Dir: filepath.Join(t.TempDir(), "project"), Axis: 2, Change: func(c *annotate.Config) { c.ValidationCases = []string{"c1", "c0"} }}
	refusedAs(t, "all cases", o, "these are all cases")
	o.Change = func(c *annotate.Config) { c.ValidationCases = []string{"c1", "c1"} }
	if err := tryOpen(t, o); err != nil {
		t.Error(err)
	}
}

// grown is a data set whose masks name their classes; the mask of c0 has a voxel of the second one.
func grown(t *testing.T, names ...string) string {
	t.Helper()
	data := annotatetest.Data(t, 3)
	for _, sub := range []string{"images", "labels"} {
		if err := os.Rename(filepath.Join(data, sub), filepath.Join(data, sub+"Tr")); err != nil {
			t.Fatal(err)
		}
	}
	name(t, data, names...)
	return data
}

func name(t *testing.T, data string, names ...string) {
	t.Helper()
	labels := map[string]int{"background": 0}
	for i, n := range names {
		labels[n] = i + 1
	}
	text := must(json.Marshal(map[string]any{"channel_names": map[string]string{"0": "MR"}, "labels": labels, "file_ending": ".nii.gz", "numTraining": 3}))
	if err := os.WriteFile(filepath.Join(data, "dataset.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A class that comes later would be nowhere in the labels of before, and in no model: classes can be added until something is labelled.
func TestClassesOfLabels(t *testing.T) {
	data, dir := grown(t, "prostate"), filepath.Join(t.TempDir(), "project")
	o := annotate.Options{Data: data, Dir: dir, Axis: 2, Change: small}
	named := func(names ...string) annotate.Options {
		o := o
		o.Classes = names
		return o
	}
	if err := errors.Join(tryOpen(t, o), tryOpen(t, named("prostate", "zone"))); err != nil { // nothing is labelled
		t.Fatal(err)
	}
	stored(t, dir, func(c *annotate.Config) { c.Classes = annotate.MakeClasses([]string{"background", "prostate"}) })
	p := must(annotate.Open(t.Context(), o))
	item := annotate.Item{Case: "c1", Slice: 2}
	if _, err := p.Labels.Save(t.Context(), ana, annotate.Answer{Item: item, Mask: make([]uint8, 120), Action: annotate.Empty}); err != nil {
		t.Fatal(err)
	}
	p.Close()
	refusedAs(t, "a flag", named("prostate", "tumour"), "begun with a different classes")
	name(t, data, "prostate", "tumour")
	refusedAs(t, "the data", o, `begun with prostate: if their values mean the same, say so with --classes "prostate"`)
	p = must(annotate.Open(t.Context(), named("prostate")))
	if len(p.Config.Classes) != 2 {
		t.Errorf("classes: %+v", p.Config.Classes)
	}
	p.Close()
}

// A mask with a class that the project does not have is not taken over as it is.
func TestMasksOfMoreClasses(t *testing.T) {
	data := grown(t, "prostate", "tumour")
	path := filepath.Join(data, "labelsTr", "c2.nii.gz")
	m := must(volume.ReadMask(path))
	m.Data[125] = 2
	if err := volume.WriteMask(path, m); err != nil {
		t.Fatal(err)
	}
	o := annotate.Options{Data: data, Dir: filepath.Join(t.TempDir(), "project"), Axis: 2, Classes: []string{"prostate"}}
	refusedAs(t, "a mask", o, "case c2 has voxels of class 2, and the project has the classes prostate alone")
	o.Change = small
	o.Dir = filepath.Join(t.TempDir(), "without")
	if err := tryOpen(t, o); err != nil {
		t.Error(err)
	}
}

// wider is a learner whose networks have as many classes as it says, as a model of an older program may.
type wider struct {
	annotate.Learner
	classes int
}

type widerNetwork struct {
	annotate.Network
	classes int
}

func (n widerNetwork) Classes() int { return n.classes }

func (l wider) Load(path string, info model.Info) (annotate.Network, error) {
	n, err := l.Learner.Load(path, info)
	return widerNetwork{n, l.classes}, err
}

// A model of other classes than the project's is told and not used.
func TestModelOfOtherClasses(t *testing.T) {
	var fake annotatetest.Learner
	o := annotate.Options{Data: annotatetest.Data(t, 4), Dir: filepath.Join(t.TempDir(), "project"), Change: small, Learner: fake.New}
	p := open(t, o)
	p.train(1, 40)
	until(t, "a model", func() bool { return p.Predictor.InUse() == 1 })
	p.close()
	for _, classes := range []int{2, 3} {
		o.Learner = func() (annotate.Learner, error) {
			l, err := fake.New()
			return wider{l, classes}, err
		}
		var log record
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		p := open(t, o)
		if classes == 2 {
			until(t, "the model again", func() bool { return p.Predictor.InUse() == 1 })
		} else {
			until(t, "a problem", func() bool {
				return strings.Contains(log.String(), "model 1: its network knows 3 classes with the background, the project has 2")
			})
			if n := p.Predictor.InUse(); n != 0 {
				t.Errorf("model %d is used", n)
			}
		}
		p.close()
	}
}
