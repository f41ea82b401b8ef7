package progress

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

// Follow looks again and again, and shows each view, until nothing is under way. It returns the last one. again is the command to
// look with once more, for whoever stops it.
func Follow(ctx context.Context, out io.Writer, l *cluster.Looker, view cluster.View, again string) (cluster.View, error) {
	file, ok := out.(*os.File)
	terminal := ok && term.IsTerminal(int(file.Fd()))
	before, drawn := "", 0
	for view.UnderWay() {
		var text strings.Builder
		_ = view.WriteText(&text)
		switch {
		case terminal:
			erase(out, drawn)
			fmt.Fprint(out, text.String())
			drawn = strings.Count(text.String(), "\n")
		case text.String() != before:
			fmt.Fprintf(out, "%s %s", time.Now().Format("15:04"), text.String())
		}
		before = text.String()
		select {
		case <-ctx.Done():
			return view, errors.New("stopped looking; the run goes on. Look again with:\n  " + again)
		case <-time.After(lookEvery):
		}
		next, err := l.Look(ctx)
		if err != nil {
			return view, err
		}
		view = next
	}
	erase(out, drawn)
	return view, nil
}

// erase takes lines off a terminal.
func erase(out io.Writer, lines int) {
	if lines > 0 {
		fmt.Fprintf(out, "\r\x1b[%dA\x1b[J", lines)
	}
}
