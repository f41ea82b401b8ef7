package experiment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor"
)

// failures are the units and the trainings of cycle 0 that could not be carried out, while the others go on.
type failures struct {
	*experiment
	mu   sync.Mutex
	errs map[record.Unit]error
}

// keep notes the error of one unit, and returns one that ends the whole run.
func (f *failures) keep(ctx context.Context, u record.Unit, err error) error {
	if err == nil || ctx.Err() != nil || !ofUnit(err) {
		return err
	}
	f.add(u, err)
	return nil
}

// ofUnit tells whether an error is of one unit alone: it would not come of another, as one of the disk, of the engine or of another writer would.
func ofUnit(err error) bool {
	var engine *tensor.EngineError
	var taken *record.TakenError
	var path *fs.PathError
	var link *os.LinkError
	var call *os.SyscallError
	var number syscall.Errno
	for _, ends := range []any{&engine, &taken, &path, &link, &call, &number} {
		if errors.As(err, ends) {
			return false
		}
	}
	return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

func (f *failures) add(u record.Unit, err error) {
	f.mu.Lock()
	if f.errs == nil {
		f.errs = map[record.Unit]error{}
	}
	f.errs[u] = err
	f.mu.Unlock()
	f.notice(fmt.Sprintf("failed: %v", err))
	f.track.fail(u, f.left(u))
}

// left returns how many cycles of a unit, or of a training of cycle 0, were to be run yet.
func (f *failures) left(u record.Unit) int {
	if u == u.Start() && f.folder.HoldsInitial(u) { // of a ceiling the training is counted alone
		return 0
	}
	if u == u.Start() {
		return 1
	}
	done, _ := f.folder.Cycles(u) // for the progress bar alone: who runs the unit tells the error
	return f.config.Cycles - max(0, len(done)-1)
}

func (f *failures) has(u record.Unit) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.errs[u] != nil
}

// err names what failed, in the order of units; nil for nothing.
func (f *failures) err(units []record.Unit) error {
	var lines []string
	named := map[record.Unit]bool{}
	for _, u := range units {
		if err := f.errs[u]; err != nil && !named[u] {
			named[u] = true
			lines = append(lines, err.Error())
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return fmt.Errorf("%d failed; all else that was to be run is recorded, and --resume tries these again\n  %s", len(lines), strings.Join(lines, "\n  "))
}
