package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// series are the recipes that differ in their steps alone, those of the presets.
var series = []struct {
	name, labels, canvas, augmentation, rate string
}{
	{"128×128, more augmentation, 100 slices (workstation)", "100", "128", "more", "0.001"},
	{"96×96, more augmentation, 100 slices", "100", "96", "more", "0.001"},
	{"64×64, more augmentation, 100 slices (quick)", "100", "64", "more", "0.002"},
	{"64×64, augmentation of the paper, 100 slices", "100", "64", "paper", "0.002"},
	{"64×64, more augmentation, 40 slices", "40", "64", "more", "0.002"},
	{"64×64, augmentation of the paper, 40 slices", "40", "64", "paper", "0.002"},
}

// drawCurves draws the 3D Dice of each training against its steps, and the mean over seeds as a line.
func drawCurves(table, out string) error {
	f, err := os.Open(table)
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = "steps of a training (batch 4, width 16)", "3D Dice on ten held-back cases"
	p.X.Scale, p.Y.Min, p.Y.Max = plot.LogScale{}, 0.2, 0.85
	p.X.Tick.Marker = plot.ConstantTicks{{Value: 100, Label: "100"}, {Value: 200, Label: "200"}, {Value: 400, Label: "400"}, {Value: 800, Label: "800"},
		{Value: 1600, Label: "1600"}, {Value: 2400, Label: "2400"}, {Value: 5000, Label: "5000"}, {Value: 10000, Label: "10000"}}
	p.Legend.Padding, p.Legend.YOffs = vg.Millimeter, vg.Millimeter
	p.Add(plotter.NewGrid())
	for i, s := range series {
		var points plotter.XYs
		sums := map[float64][2]float64{}
		for _, row := range rows[1:] {
			get := func(name string) string { return row[column[name]] }
			if get("labels") != s.labels || get("canvas") != s.canvas || get("augmentation") != s.augmentation || get("peak_rate") != s.rate ||
				get("dropout") != "0.2" || get("width") != "16" {
				continue
			}
			x, err := strconv.ParseFloat(get("steps"), 64)
			if err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
			y, err := strconv.ParseFloat(get("dice_3d"), 64)
			if err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
			points = append(points, plotter.XY{X: x, Y: y})
			sums[x] = [2]float64{sums[x][0] + y, sums[x][1] + 1}
		}
		var means plotter.XYs
		for x, sum := range sums {
			means = append(means, plotter.XY{X: x, Y: sum[0] / sum[1]})
		}
		slices.SortFunc(means, func(a, b plotter.XY) int { return int(a.X - b.X) })
		line, err := plotter.NewLine(means)
		if err != nil {
			return err
		}
		dots, err := plotter.NewScatter(points)
		if err != nil {
			return err
		}
		line.Color, line.Width = plotutil.Color(i), vg.Points(1.5)
		dots.Color, dots.Shape, dots.Radius = plotutil.Color(i), draw.CircleGlyph{}, vg.Points(2.5)
		p.Add(line, dots)
		p.Legend.Add(s.name, line)
	}
	return p.Save(18*vg.Centimeter, 11*vg.Centimeter, out)
}
