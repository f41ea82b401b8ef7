package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/train/recipe"
)

var columns = strings.Split("dataset,part,seed,labels,preset,canvas,steps,recipe,weights,mirror,largest,loss,dice,dice_2d,hd95,cases", ",")

// runQueue carries out the trainings of a queue that the table does not have. The file is read again before each: lines can be added
// and moved meanwhile.
func runQueue(ctx context.Context, data, queue, table string, threads int) error {
	for {
		t, err := next(queue, table)
		if err != nil || t == nil {
			return err
		}
		outcomes, err := t.run(ctx, data, threads)
		if err != nil {
			return fmt.Errorf("%s: %w", t.line(), err)
		}
		var rows [][]string
		for _, o := range outcomes {
			rows = append(rows, t.row(o))
		}
		if err := appendRows(table, rows); err != nil {
			return err
		}
	}
}

// line is the line of a queue that stands for the training.
func (t trial) line() string {
	return strings.TrimSpace(fmt.Sprintln(t.dataset, t.part, t.labels, t.seed, t.preset.Name, t.variant))
}

// next returns the first training of a queue that a table does not have, nil if there is none.
func next(queue, table string) (*trial, error) {
	done := map[string]bool{}
	f, err := os.Open(table)
	switch {
	case err == nil:
		defer f.Close()
		rows, err := csv.NewReader(f).ReadAll()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", table, err)
		}
		for _, r := range rows {
			done[strings.Join([]string{r[0], r[1], r[3], r[2], r[4], r[7]}, " ")] = true
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	text, err := os.ReadFile(queue)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		if len(f) == 5 {
			f = append(f, "base")
		}
		if done[strings.Join(f, " ")] {
			continue
		}
		if len(f) < 5 {
			return nil, fmt.Errorf("%s: want DATASET PART LABELS SEED PRESET [KEY=VALUE …], got %q", queue, line)
		}
		t := &trial{dataset: f[0], part: f[1], variant: strings.Join(f[5:], " ")}
		var faults [3]error
		t.labels, faults[0] = strconv.Atoi(f[2])
		t.seed, faults[1] = strconv.ParseUint(f[3], 10, 64)
		t.preset, faults[2] = recipe.FindPreset(f[4])
		return t, errors.Join(faults[:]...)
	}
	return nil, nil
}

func (t trial) row(o outcome) []string {
	var cases []string
	for _, c := range o.summary.PerCase {
		cases = append(cases, fmt.Sprintf("%s=%.3f", c.ID, meanDice(c)))
	}
	if len(cases) > 20 {
		cases = nil // a line of the table should be readable
	}
	flag := func(b bool) string { return map[bool]string{true: "1", false: "0"}[b] }
	m := o.summary.Mean
	return []string{t.dataset, t.part, fmt.Sprint(t.seed), fmt.Sprint(t.labels), t.preset.Name, o.canvas, fmt.Sprint(o.steps), t.variant, "last",
		flag(o.Mirror), flag(o.Largest), fmt.Sprintf("%.3f", o.loss), fmt.Sprintf("%.4f", m.Dice3D.Value), fmt.Sprintf("%.4f", m.Dice2D.Value),
		fmt.Sprintf("%.2f", m.HD95.Value), strings.Join(cases, " ")}
}

// meanDice is the 3D Dice of a case, the mean over its classes.
func meanDice(c metrics.Case) (sum float64) {
	for _, class := range c.Classes {
		sum += class.Dice3D.Value / float64(len(c.Classes))
	}
	return sum
}

func appendRows(table string, rows [][]string) error {
	_, missing := os.Stat(table)
	f, err := os.OpenFile(table, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	w := csv.NewWriter(f)
	if missing != nil {
		rows = append([][]string{columns}, rows...)
	}
	return errors.Join(w.WriteAll(rows), f.Close())
}
