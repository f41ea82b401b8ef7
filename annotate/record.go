package annotate

import (
	"context"
	"encoding/json"
	"math"
	"path/filepath"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/record"

	"github.com/nextslice/nextslice/annotate/store"
)

// recorder keeps the project's cycles as the record of a simulation whose test cases are the validation cases, for
// nextslice report. Its config.yaml is that simulation.
type recorder struct {
	config Config
	store  *store.Store
	cases  *Cases
}

// write brings the record, in the project's folder record, in line with the models. Their Dices are those of a verdict, which can be compared; without
// one, as before a project that is opened has judged its models, a record that is there is left as it is.
func (r recorder) write(ctx context.Context, v Verdict) error {
	models, err := r.store.Models(ctx)
	if err != nil || len(models) == 0 {
		return err
	}
	dir := filepath.Join(r.store.Dir(), "record")
	if v.Dice == nil && record.IsExport(dir) {
		return nil
	}
	queue, err := r.store.Queue(ctx, true)
	if err != nil {
		return err
	}
	asked := map[int][]string{}
	for _, row := range queue {
		if row.Purpose == store.ForTraining && row.Kind == store.KindQuery {
			asked[row.Cycle] = append(asked[row.Cycle], row.Item.String())
		}
	}
	data := record.Data{
		Name: r.cases.set.Name, Layout: r.cases.set.Layout, Classes: r.config.names(), Preprocess: r.config.Preprocess,
		Validation: []string{}, Test: []string{},
	}
	for _, c := range r.cases.set.Cases {
		if r.cases.roles[c.ID] == store.Validation {
			data.Test = append(data.Test, c.ID)
		} else {
			data.Pool = append(data.Pool, c.ID)
			data.PoolItems += len(r.cases.slicesOf(c.ID))
		}
	}
	run := record.Run{Unit: record.Unit{Strategy: r.config.spec().String(), Set: 1}}
	for i, m := range models {
		c := record.Cycle{Cycle: m.Cycle, Labelled: m.Labelled, Measures: r.measures(m, v)}
		if i == 0 {
			c.Initial = asked[-1]
		}
		if i < len(models)-1 { // what the last model asked for is still being labelled
			c.Query = asked[m.Cycle]
			for _, item := range m.Copies {
				c.Copies = append(c.Copies, item.String())
			}
		}
		run.Cycles = append(run.Cycles, c)
	}
	text, err := json.MarshalIndent(data, "", "  ")
	if err != nil {
		return err
	}
	x := record.Export{Config: r.simulation(data.Test, len(models)-1).YAML(), Data: text, Runs: []record.Run{run}}
	return x.Write(dir)
}

// simulation returns the experiment with this many queries that asks for the items that the project asks for in lockstep.
func (r recorder) simulation(test []string, queries int) record.Config {
	p, c := r.config, record.Default()
	c.Data, c.Channel, c.Patient = r.cases.set.Dir, p.Channel, p.Patient
	c.Channels, c.Resample = p.Channels, p.Resample
	c.Axis, c.Canvas = string("ijk"[p.Preprocess.Axis]), []int{p.Preprocess.Height, p.Preprocess.Width}
	c.Split = dataset.SplitConfig{Test: dataset.DefaultSplit().Test, TestCases: test}
	c.Strategies, c.InitialSets, c.InitialSize, c.QuerySize, c.Cycles = []string{p.spec().String()}, 1, p.InitialSize, p.QuerySize, queries
	c.Seed, c.Preset, c.Train = p.Seed, p.Preset, p.Train
	return c
}

// measures returns what is known of a model: its 3D Dice as the mean over classes, on the validation labels of the verdict.
func (r recorder) measures(m store.Model, v Verdict) metrics.Summary {
	unknown := metrics.Measure{Value: math.NaN()}
	dice := unknown
	if d, judged := v.Dice[m.Version]; judged {
		dice = metrics.Measure{Value: d, N: v.Cases}
	}
	s := metrics.Summary{Cases: v.Cases, Unit: string(r.cases.set.Cases[0].Grid.Unit)}
	s.Mean = metrics.ClassSummary{Class: -1, Name: "mean", Dice2D: unknown, Dice3D: dice, HD95: unknown, ASSD: unknown}
	for i, class := range r.config.Classes[1:] {
		one := metrics.ClassSummary{Class: i + 1, Name: class.Name, Dice2D: unknown, Dice3D: unknown, HD95: unknown, ASSD: unknown}
		if len(r.config.Classes) == 2 {
			one.Dice3D = dice
		}
		s.Classes = append(s.Classes, one)
	}
	return s
}
