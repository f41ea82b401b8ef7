package progress

import (
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/nextslice/nextslice/experiment"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/report/table"
)

// Watcher shows how far an experiment is. It is used by one goroutine at a time.
type Watcher interface {
	Event(experiment.Event)
	Notice(text string)
	End() // may be called twice
}

// NewWatcher returns a table that is redrawn in place on a terminal, and lines elsewhere.
func NewWatcher(out io.Writer, c record.Config) Watcher {
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return newLiveTable(out, c, func() (width, height int) {
			width, height, err := term.GetSize(int(file.Fd()))
			if err != nil {
				return 80, 24
			}
			return width, height
		})
	}
	return watchLines{New(out)}
}

// watchLines writes a line per finished cycle, and one of progress every few seconds.
type watchLines struct{ *Bar }

func (w watchLines) Notice(text string) { w.Line("%s", text) }

func (w watchLines) Event(e experiment.Event) {
	if e.Earlier() {
		return
	}
	if e.Recorded != nil {
		w.Line("%s, cycle %d: %d labelled, dice_3d %s", e.Unit, e.Cycle, e.Recorded.Labelled, value(e.Recorded.Measures.Mean.Dice3D.Value))
	}
	w.Show(e.Fraction, e.String())
}

// liveTable shows the learning curves so far, what is being run, and the time left.
type liveTable struct {
	out      io.Writer
	size     func() (width, height int) // of the terminal
	labels   []string                   // of the columns: labelled slices
	rows     []liveRow
	running  map[string]string // by unit: what it is doing
	fraction float64
	clock    *Bar
	drawn    int       // lines that stand on the terminal
	last     time.Time // when they were drawn
}

// liveRow is a strategy, with one recipe.
type liveRow struct {
	grid, strategy string
	sum            []float64 // of the 3D Dice, by cycle
	count          []int     // runs in it
	finished, runs int
}

const redrawEvery = 100 * time.Millisecond

func newLiveTable(out io.Writer, c record.Config, size func() (int, int)) *liveTable {
	t := &liveTable{out: out, size: size, running: map[string]string{}, clock: &Bar{begin: time.Now()}}
	for cycle := range c.Cycles + 1 {
		t.labels = append(t.labels, fmt.Sprint(c.InitialSize+cycle*c.QuerySize))
	}
	for _, u := range c.Units() {
		if u.Strategy == record.Ceiling {
			continue // its labels are in no column
		}
		i := t.row(u)
		if i < 0 {
			i = len(t.rows)
			t.rows = append(t.rows, liveRow{grid: u.Grid, strategy: u.Strategy, sum: make([]float64, c.Cycles+1), count: make([]int, c.Cycles+1)})
		}
		t.rows[i].runs++
	}
	return t
}

// row returns the number of a unit's row, or -1.
func (t *liveTable) row(u record.Unit) int {
	return slices.IndexFunc(t.rows, func(r liveRow) bool { return r.grid == u.Grid && r.strategy == u.Strategy })
}

func (t *liveTable) Event(e experiment.Event) {
	t.fraction = max(t.fraction, e.Fraction)
	t.running[e.Unit] = e.String()
	if i := t.row(e.Run); e.Recorded != nil && i >= 0 {
		r := &t.rows[i]
		if v := e.Recorded.Measures.Mean.Dice3D.Value; !math.IsNaN(v) && e.Cycle < len(r.sum) {
			r.sum[e.Cycle] += v
			r.count[e.Cycle]++
		}
		if len(e.Recorded.Query) == 0 {
			r.finished++
		}
	}
	if e.Ended() {
		delete(t.running, e.Unit)
	}
	if time.Since(t.last) >= redrawEvery {
		t.erase()
		t.draw()
	}
}

func (t *liveTable) Notice(text string) {
	t.erase()
	fmt.Fprintln(t.out, text)
	t.draw()
}

func (t *liveTable) End() { t.erase() }

// erase takes the table away.
func (t *liveTable) erase() {
	if t.drawn > 0 {
		fmt.Fprintf(t.out, "\r\x1b[%dA\x1b[J", t.drawn) // from the first column: Ctrl-C is echoed where the cursor stands
		t.drawn = 0
	}
}

func (t *liveTable) draw() {
	lines := t.lines(t.size())
	fmt.Fprint(t.out, strings.Join(lines, "\n")+"\n")
	t.drawn, t.last = len(lines), time.Now()
}

// lines lays the table out for a terminal. Of rows that do not fit it shows those around the last one with a value.
func (t *liveTable) lines(width, height int) []string {
	name := len("labelled")
	for _, r := range t.rows {
		name = max(name, utf8.RuneCountInString(r.name()))
	}
	const column = len("   0.000")
	first := max(0, min(len(t.labels)-1, len(t.labels)-(width-1-name-len("   runs 10/10"))/column)) // the later ones, where not all fit
	var running []string
	for _, unit := range slices.Sorted(maps.Keys(t.running)) {
		running = append(running, "  "+t.running[unit])
	}
	bar := int(math.Round(24 * t.fraction))
	last := fmt.Sprintf("%3.0f%% %s%s%s", 100*t.fraction, strings.Repeat("━", bar), strings.Repeat("╌", 24-bar), strings.TrimPrefix(t.clock.left(t.fraction), ","))

	from, to := 0, len(t.rows)
	if room := max(1, height-len(running)-4); to > room {
		current := 0
		for i, r := range t.rows {
			if r.count[0] > 0 {
				current = i
			}
		}
		from = max(0, min(current-room/2, to-room))
		to = from + room
	}
	head := []table.Cell{table.Text("labelled")}
	for _, label := range t.labels[first:] {
		head = append(head, table.Text("%s", label))
	}
	curves := table.Table{Rows: [][]table.Cell{append(head, table.Text("runs"))}}
	for _, r := range t.rows[from:to] {
		row := []table.Cell{table.Text("%s", r.name())}
		for cycle := first; cycle < len(t.labels); cycle++ {
			cell := table.Text("    ·") // as wide as a value, so that columns stand still
			if r.count[cycle] > 0 {
				cell = table.Text("%.3f", r.sum[cycle]/float64(r.count[cycle]))
			}
			row = append(row, cell)
		}
		curves.Rows = append(curves.Rows, append(row, table.Text("%d/%d", r.finished, r.runs)))
	}
	var text strings.Builder
	_ = curves.WriteText(&text)
	lines := append([]string{"dice_3d on the test cases, mean of the runs so far"}, strings.Split(strings.TrimSpace(text.String()), "\n")...)
	lines = append(append(lines, running...), last)
	for i, line := range lines {
		if text := []rune(line); len(text) >= width {
			lines[i] = string(text[:max(0, width-1)]) // a line that wraps could not be erased
		}
	}
	return lines
}

// value formats a measure, which may be undefined.
func value(v float64) string {
	if math.IsNaN(v) {
		return "undefined"
	}
	return fmt.Sprintf("%.3f", v)
}

func (r liveRow) name() string {
	if r.grid == "" {
		return r.strategy
	}
	return r.grid + ": " + r.strategy
}
