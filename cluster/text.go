package cluster

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/report/table"
)

// shown is how many units of a state are listed.
const shown = 20

// WriteText writes a view for people.
func (v View) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", v.Folder, plural(len(v.Units), "unit"))
	sep := ": "
	for _, state := range []string{Finished, Running, Waiting, Ending, Unknown, Failed, Stopped, Lost, Missing} {
		if n := v.Count(state); n > 0 {
			fmt.Fprintf(&b, "%s%d %s", sep, n, state)
			sep = ", "
		}
	}
	b.WriteString("\n")
	if v.Trouble != nil {
		fmt.Fprintf(&b, "SLURM does not answer: %v\n", v.Trouble)
	}
	v.writeStarts(&b)
	v.writeRunning(&b)
	v.writeWaiting(&b)
	for _, state := range []string{Failed, Lost, Stopped} {
		v.writeEnded(&b, state)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (v View) writeStarts(b *strings.Builder) {
	counts := map[string]int{}
	for _, s := range v.Starts {
		counts[s.State]++
	}
	if counts[Finished] == len(v.Starts) {
		return
	}
	var parts []string
	for _, state := range []string{Finished, Running, Waiting, Ending, Unknown, Failed, Stopped, Lost} {
		if n := counts[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	fmt.Fprintf(b, "%s, trainings of cycle 0 that units share: %s\n", plural(len(v.Starts), "start"), strings.Join(parts, ", "))
}

// in returns the units in some states.
func (v View) in(states ...string) (units []UnitView) {
	for _, u := range v.Units {
		if slices.Contains(states, u.State) {
			units = append(units, u)
		}
	}
	return units
}

func (v View) writeRunning(b *strings.Builder) {
	units := v.in(Running, Ending)
	if len(units) == 0 {
		return
	}
	t := table.Table{Rows: [][]table.Cell{{table.Text("running"), table.Text("cycles"), table.Text("task"), table.Text("node"), table.Text("now")}}}
	for _, u := range units[:min(shown, len(units))] {
		now := u.Phase
		if u.Why != "" {
			now = strings.TrimPrefix(now+", "+u.Why, ", ")
		}
		t.Rows = append(t.Rows, []table.Cell{
			table.Text("%s", u.Unit), table.Text("%d/%d", u.Cycles, v.Cycles+1), table.Text("%s", u.Task), table.Text("%s", u.Node), table.Text("%s", now),
		})
	}
	b.WriteString("\n")
	_ = t.WriteText(b)
	more(b, len(units))
}

func more(b *strings.Builder, n int) {
	if n > shown {
		fmt.Fprintf(b, "and %d more\n", n-shown)
	}
}

// writeWaiting counts what waits, by SLURM's reason.
func (v View) writeWaiting(b *strings.Builder) {
	counts := map[string]int{}
	var reasons []string
	for _, u := range v.in(Waiting) {
		if counts[u.Why]++; counts[u.Why] == 1 {
			reasons = append(reasons, u.Why)
		}
	}
	for _, why := range reasons {
		fmt.Fprintf(b, "%d waiting: %s%s\n", counts[why], why, forEver(why))
	}
}

// forEver explains reasons that do not pass by themselves.
func forEver(reason string) string {
	reason, _, _ = strings.Cut(reason, ",")
	switch reason {
	case "PartitionTimeLimit":
		return " (for ever: --time is longer than the partition allows)"
	case "PartitionConfig", "BadConstraints", "PartitionNodeLimit":
		return " (for ever: no node of the partition has what is asked for)"
	case "DependencyNeverSatisfied", "JobHeldUser", "JobHeldAdmin", "JobHoldMaxRequeue":
		return " (until somebody changes it with scontrol)"
	}
	return ""
}

func (v View) writeEnded(b *strings.Builder, state string) {
	units := v.in(state)
	for _, u := range units[:min(shown, len(units))] {
		fmt.Fprintf(b, "\n%s: %s", state, u.Unit)
		if u.Task != "" {
			fmt.Fprintf(b, " (%s", u.Task)
			if u.Node != "" {
				fmt.Fprintf(b, " on %s", u.Node)
			}
			b.WriteString(")")
		}
		fmt.Fprintf(b, ", %d/%d cycles: %s\n", u.Cycles, v.Cycles+1, u.Why)
		if u.Log == "" || state == Stopped {
			continue
		}
		fmt.Fprintf(b, "  %s\n", u.Log)
		for _, line := range LastLines(u.Log, 3) {
			fmt.Fprintf(b, "  | %s\n", line)
		}
	}
	more(b, len(units))
}

// LastLines returns the last lines of a log that say something, or those that say why a program crashed.
func LastLines(path string, n int) []string {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil {
		_, _ = file.Seek(max(0, info.Size()-64<<10), io.SeekStart)
	}
	text, err := io.ReadAll(io.LimitReader(file, 64<<10))
	if err != nil {
		return nil
	}
	var lines []string
	crash := -1
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if bytes.HasPrefix(line, []byte("panic: ")) || bytes.HasPrefix(line, []byte("fatal error: ")) {
			crash = len(lines)
		}
		lines = append(lines, string(line))
	}
	if crash >= 0 {
		return lines[crash:min(len(lines), crash+n)]
	}
	return lines[max(0, len(lines)-n):]
}
