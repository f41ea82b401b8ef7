package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/nextslice/nextslice/cluster"
)

// lookEvery is the time between two questions to SLURM: a site has many who ask.
const lookEvery = 30 * time.Second

// follow looks again and again, and shows each view, until nothing is under way. It returns the last one.
func follow(ctx context.Context, s streams, l *cluster.Looker, view cluster.View) (cluster.View, error) {
	file, ok := s.err.(*os.File)
	terminal := ok && term.IsTerminal(int(file.Fd()))
	before, drawn := "", 0
	for view.UnderWay() {
		var text strings.Builder
		_ = view.WriteText(&text)
		switch {
		case terminal:
			erase(s.err, drawn)
			fmt.Fprint(s.err, text.String())
			drawn = strings.Count(text.String(), "\n")
		case text.String() != before:
			fmt.Fprintf(s.err, "%s %s", time.Now().Format("15:04"), text.String())
		}
		before = text.String()
		select {
		case <-ctx.Done():
			return view, errors.New("stopped looking; the run goes on. Look again with:\n  nextslice status " + quote(l.Run))
		case <-time.After(lookEvery):
		}
		next, err := l.Look(ctx)
		if err != nil {
			return view, err
		}
		view = next
	}
	erase(s.err, drawn)
	return view, nil
}

// erase takes lines off a terminal.
func erase(out io.Writer, lines int) {
	if lines > 0 {
		fmt.Fprintf(out, "\r\x1b[%dA\x1b[J", lines)
	}
}
