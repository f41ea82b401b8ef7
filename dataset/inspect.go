package dataset

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/volume"
)

// Report is what Inspect found.
type Report struct {
	Name     string       `json:"name"`
	Layout   string       `json:"layout"`
	Classes  []string     `json:"classes"`
	Axis     int          `json:"axis"` // that slices are cut across: the one of the coarsest spacing
	Cases    []CaseReport `json:"cases"`
	Problems []Problem    `json:"problems"` // of Open and of Inspect, with what is only noted
	Totals   Totals       `json:"totals"`
}

// Faults returns the number of problems that are not only noted.
func (r *Report) Faults() (n int) {
	for _, p := range r.Problems {
		if !p.Note {
			n++
		}
	}
	return n
}

// Totals are sums over the cases of a report.
type Totals struct {
	Cases            int `json:"cases"`
	Labelled         int `json:"labelled"`           // cases with a mask that could be read
	Empty            int `json:"empty"`              // of these, masks without foreground
	Slices           int `json:"slices"`             // of all cases
	LabelledSlices   int `json:"labelled-slices"`    // of the labelled cases
	ForegroundSlices int `json:"foreground-slices"`  // of these, slices that show some foreground
	Unusable         int `json:"unusable,omitempty"` // cases that Load leaves out
}

// CaseReport is what one case holds.
type CaseReport struct {
	ID          string      `json:"id"`
	Size        volume.Size `json:"size"`
	Spacing     [3]float64  `json:"spacing"`
	Unit        volume.Unit `json:"unit"`
	Orientation string      `json:"orientation"` // e.g. "LPS", see volume.Grid
	Stored      string      `json:"stored"`      // type of the voxels in the file
	// Intensity is of the finite voxels; nil if the image cannot be read or has none.
	Intensity *Intensity `json:"intensity,omitempty"`
	// Labels counts the voxels of each value in the mask, in the order of the classes; nil without a mask that can be read.
	Labels      []LabelCount `json:"labels,omitempty"`
	Slices      int          `json:"slices"`
	Foreground  int          `json:"foreground"`            // slices that show some foreground
	Unannotated []string     `json:"unannotated,omitempty"` // classes that nobody has looked for in this case
	Unusable    bool         `json:"unusable,omitempty"`    // Load leaves the case out
}

// Intensity describes the intensities of an image: their range, and the percentiles that preprocess clips to.
type Intensity struct {
	Min    float64 `json:"min"`
	Low    float64 `json:"p1"` // 1st percentile
	Median float64 `json:"median"`
	High   float64 `json:"p99"` // 99th percentile
	Max    float64 `json:"max"`
}

// LabelCount is how many voxels of a mask have a value.
type LabelCount struct {
	Value  int    `json:"value"` // in the file: that of the segment where segments have names
	Class  string `json:"class"` // "" if the data set has no class for it, "ignore" for Dataset.Ignore
	Voxels int    `json:"voxels"`
}

// inspectors is the number of cases that are inspected at the same time: each holds one image or mask in memory.
const inspectors = 2

// Inspect reads every case and reports what is there. No more than two images or masks are in memory. each gets every
// case's report, in the order of the cases, then progress is called; both may be nil. A damaged file is not an error
// but a Problem of the report; the only error is that of ctx.
//
// nan is what NaN and infinite voxels are read as; nil leaves them out of the intensities.
func Inspect(ctx context.Context, d *Dataset, nan *float64, progress func(done, total int), each func(CaseReport)) (Report, error) {
	r := Report{Name: d.Name, Layout: d.Layout, Classes: d.Classes, Axis: preprocess.CoarsestAxis(d.Grids())}
	r.Problems = append([]Problem{}, d.Problems...)
	type result struct {
		report   CaseReport
		problems []Problem
	}
	results := make([]chan result, len(d.Cases))
	for i := range results {
		results[i] = make(chan result, 1)
	}
	var workers sync.WaitGroup
	defer workers.Wait()
	var next atomic.Int64
	for range inspectors {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(d.Cases) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				c, problems := inspectCase(d, i, r.Axis, nan)
				results[i] <- result{c, problems}
			}
		})
	}
	for i := range d.Cases {
		var c CaseReport
		select {
		case <-ctx.Done():
		case result := <-results[i]:
			c = result.report
			r.Problems = append(r.Problems, result.problems...)
		}
		if err := ctx.Err(); err != nil {
			return Report{}, fmt.Errorf("inspect: %w", err)
		}
		r.Cases = append(r.Cases, c)
		r.Totals.add(c)
		if each != nil {
			each(c)
		}
		if progress != nil {
			progress(i+1, len(d.Cases))
		}
	}
	return r, nil
}

func (t *Totals) add(c CaseReport) {
	t.Cases++
	t.Slices += c.Slices
	if c.Unusable {
		t.Unusable++
	}
	if c.Labels == nil {
		return
	}
	t.Labelled++
	t.LabelledSlices += c.Slices
	t.ForegroundSlices += c.Foreground
	if c.Foreground == 0 {
		t.Empty++
	}
}

// inspectCase reports one case, cut across an axis, and what is wrong with it.
func inspectCase(d *Dataset, index, axis int, nan *float64) (out CaseReport, problems []Problem) {
	c := d.Cases[index]
	out = CaseReport{
		ID: c.ID, Size: c.Grid.Size, Spacing: c.Grid.Spacing(), Unit: c.Grid.Unit, Orientation: c.Grid.Orientation(),
		Stored: c.Stored, Slices: c.Grid.Size[axis],
	}
	for class, missing := range c.Unannotated {
		if missing {
			out.Unannotated = append(out.Unannotated, d.Classes[class])
		}
	}
	problem := func(format string, args ...any) {
		problems = append(problems, Problem{Case: c.ID, Text: fmt.Sprintf(format, args...)})
	}
	unusable := func(format string, args ...any) {
		out.Unusable = true
		problem(format, args...)
	}
	images, err := d.readInputs(&c)
	if err != nil {
		unusable("%s", unreadable("image", c.Image, err))
	}
	for i, v := range images {
		in := ""
		if len(images) > 1 {
			in = fmt.Sprintf("channel %s: ", d.Channels[i])
		}
		bad := preprocess.NonFinite(v.Data)
		if bad < len(v.Data) && bad > 0 && nan != nil {
			v.Data = preprocess.Finite(v.Data, float32(*nan))
		}
		values := intensity(v.Data)
		if i == 0 {
			out.Intensity = values
		}
		if values == nil && bad > 0 {
			unusable("%sall %d voxels are NaN or infinite", in, bad)
		} else if bad > 0 {
			problem("%s%d of %d voxels are NaN or infinite: %s", in, bad, len(v.Data), preprocess.Config{NaN: nan}.NonFiniteText())
		}
		if values != nil && values.Min == values.Max {
			problem("%sall voxels of the image are %g", in, values.Min)
		}
	}
	if c.Label == "" {
		return out, problems
	}
	m, values, err := c.readValues(d.Classes)
	if err != nil {
		unusable("%s", unreadable("mask", c.Label, err))
		return out, problems
	}
	if m.Rounded > 0 {
		problem("%d voxels of the mask are not quite whole numbers: they are rounded", m.Rounded)
	}
	if err := c.checkValues(m, d.Classes); err != nil {
		unusable("%v", err)
	}
	out.Labels = countLabels(m.Data, d.Classes, values, d.Ignore > 0)
	for k := range out.Slices {
		if slices.ContainsFunc(m.Slice(axis, k), func(v uint8) bool { return v != 0 && !c.ignored(v) }) {
			out.Foreground++
		}
	}
	if out.Foreground == 0 {
		problem("the mask has no foreground")
	}
	return out, problems
}

// intensity describes the finite values of data, which it reorders; nil if there are none.
func intensity(data []float32) *Intensity {
	finite := data[:0]
	for _, x := range data {
		if x-x == 0 {
			finite = append(finite, x)
		}
	}
	if len(finite) == 0 {
		return nil
	}
	least, most := math.Inf(1), math.Inf(-1)
	for _, x := range finite {
		least, most = min(least, float64(x)), max(most, float64(x))
	}
	p := preprocess.Percentiles(finite, 1, 50, 99)
	return &Intensity{Min: least, Low: p[0], Median: p[1], High: p[2], Max: most}
}

const ignoreClass = "ignore" // the name of Dataset.Ignore in reports

// countLabels counts the values of a mask that was read, by what they are in the file.
func countLabels(data []uint8, classes []string, values [256]int, ignore bool) []LabelCount {
	var counts [256]int
	for _, v := range data {
		counts[v]++
	}
	var out []LabelCount
	for v, n := range counts {
		if n == 0 {
			continue
		}
		c := LabelCount{Value: values[v], Voxels: n}
		switch {
		case v == volume.Ignored && ignore:
			c.Class = ignoreClass
		case v < len(classes):
			c.Class = classes[v]
		}
		out = append(out, c)
	}
	return out
}
