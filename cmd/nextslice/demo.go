package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/nextslice/nextslice/cmd/nextslice/internal/progress"
	"github.com/nextslice/nextslice/dataset/phantom"
	"github.com/nextslice/nextslice/record"
)

type demoCommand struct {
	Out string `placeholder:"DIR" help:"Run folder; the default is a new one, nextslice-demo, nextslice-demo-2 …"`
}

func (demoCommand) Help() string {
	return `Simulates active learning on synthetic volumes, about two minutes on two cores: what "nextslice simulate" does without a data set.
For the annotation page on synthetic volumes see "nextslice serve --demo".

Examples:
  nextslice demo
  nextslice demo --out first-look`
}

func (c demoCommand) Run(ctx context.Context, s streams) error {
	for n := 1; c.Out == "" && n < 1000; n++ {
		name := "nextslice-demo"
		if n > 1 {
			name += fmt.Sprintf("-%d", n)
		}
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			c.Out = name
		}
	}
	s.args = []string{"simulate", "--out", c.Out} // by which a demo that was interrupted goes on
	return simulateCommand{Out: c.Out}.Run(ctx, s)
}

// demoData makes the data set that the annotation page is shown on, unless it is there.
func demoData(ctx context.Context, s streams) (dir string, err error) {
	const cases = 12
	dir = "nextslice-demo-data"
	if _, err := os.Stat(filepath.Join(dir, "dataset.json")); err == nil {
		return dir, nil
	}
	p := progress.New(s.err)
	defer p.End()
	return dir, phantom.Write(ctx, dir, cases, record.PhantomSeed, func(done, total int) {
		p.Show(float64(done)/float64(total), fmt.Sprintf("synthetic case %d/%d", done, total))
	})
}
