// Package progress shows how far a command is: a bar or a table on a terminal, plain lines elsewhere.
package progress

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// lineEvery is the time between two lines of progress where there is no terminal.
const lineEvery = 5 * time.Second

// Bar shows how far a command is: a bar on a terminal, a plain line every few seconds elsewhere. It is used by
// one goroutine at a time.
type Bar struct {
	out   io.Writer
	bar   *progressbar.ProgressBar // nil where out is no terminal
	begin time.Time
	last  time.Time // of the last line
}

// New returns the bar of a command that writes to out what is not its result.
func New(out io.Writer) *Bar {
	p := &Bar{out: out, begin: time.Now(), last: time.Now()}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.bar = progressbar.NewOptions(1000,
			progressbar.OptionSetWriter(out),
			progressbar.OptionSetWidth(24),
			progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionThrottle(100*time.Millisecond),
		)
	}
	return p
}

// Show takes the part of the work that is done, 0 to 1, and what is being done.
func (p *Bar) Show(fraction float64, what string) {
	if p.bar != nil {
		p.bar.Describe(what + p.left(fraction))
		p.bar.Set(int(1000 * fraction))
		return
	}
	if time.Since(p.last) >= lineEvery {
		p.last = time.Now()
		fmt.Fprintf(p.out, "%3.0f%% %s%s\n", 100*fraction, what, p.left(fraction))
	}
}

// left estimates the time that remains, once there is something to estimate it from.
func (p *Bar) left(fraction float64) string {
	elapsed := time.Since(p.begin)
	if fraction < 0.01 || fraction >= 1 || elapsed < 3*time.Second {
		return ""
	}
	left := time.Duration(float64(elapsed) * (1 - fraction) / fraction)
	return ", about " + left.Round(time.Second).String() + " left"
}

// Line writes a line that stays.
func (p *Bar) Line(format string, args ...any) {
	if p.bar != nil {
		p.bar.Clear()
	}
	fmt.Fprintf(p.out, format+"\n", args...)
}

// End takes the bar away.
func (p *Bar) End() {
	if p.bar != nil {
		p.bar.Clear()
	}
}
