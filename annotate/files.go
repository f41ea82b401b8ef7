package annotate

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/internal/cell"
	"github.com/nextslice/nextslice/internal/contents"
	"github.com/nextslice/nextslice/volume"

	"github.com/nextslice/nextslice/annotate/store"

	"github.com/nextslice/nextslice/annotate/fault"
)

// maskFiles are the masks in the project folder, for other programs.
type maskFiles struct {
	store  *store.Store
	cases  *Cases
	events *Events

	mu     sync.Mutex
	ledger *store.Ledger // what was written; nil until it is read
}

// write brings the mask files in line with the labels: labels/final/CASE.nii.gz holds the labels of a case,
// labels/original/CASE.nii.gz what each of them began with (a mask found with the data, a model's proposal, or nothing),
// labels/labelled.csv which slices are labelled, for in the masks an unlabelled slice looks like an empty one, and labels/project.json
// what store.Ledger is for. What reviewers say stands in these two; the masks hold the labels whatever it is. Each file is replaced in one step. What is wrong with one case concerns that case only; an error says
// that the files could not be written, and is worth another try.
func (f *maskFiles) write(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.writeStale(ctx)
	if ctx.Err() == nil {
		f.events.lasts("labels", err)
	}
	return err
}

func (f *maskFiles) writeStale(ctx context.Context) error {
	if err := f.open(ctx); err != nil {
		return fmt.Errorf("write masks: %w", err)
	}
	stale, err := f.store.Stale(ctx)
	if err != nil {
		return err
	}
	if len(stale) == 0 {
		return f.writeLists(ctx, false)
	}
	for _, dir := range []string{"final", "original"} {
		if err := os.MkdirAll(f.path(dir), 0o700); err != nil {
			return fmt.Errorf("write masks: %w", err)
		}
	}
	var failed error
	written := map[string]int64{}
	for _, name := range stale {
		if f.cases.check(name) != nil {
			continue // its geometry has gone with its image
		}
		if written[name], err = f.writeMask(ctx, name); err != nil {
			delete(written, name)
			failed = fmt.Errorf("labels/final cannot be brought up to date, which is tried again; what is saved is in project.db: %w", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if err := f.writeLists(ctx, true); err != nil {
		return errors.Join(failed, err)
	}
	for name := range written {
		if err := f.publish(name); err != nil {
			delete(written, name)
			failed = errors.Join(failed, err)
		}
	}
	return errors.Join(failed, f.store.Written(ctx, written))
}

// writeLists writes labelled.csv and the ledger, unless there are no new masks and nothing else in them has changed.
func (f *maskFiles) writeLists(ctx context.Context, masks bool) error {
	labels, err := f.store.LabelList(ctx, "")
	if err != nil {
		return err
	}
	path, list := f.path("labelled.csv"), listOf(labels)
	there, _ := os.ReadFile(path)
	if !f.ledger.Review(labels) && !masks && (len(labels) == 0 || bytes.Equal(there, list)) { // a note may be another
		return nil
	}
	if err = atomicfile.Write(path, list, 0o600); err != nil {
		err = fmt.Errorf("write list of labels: %w", err)
	}
	if err == nil && (masks || f.ledger.Project == "") {
		err = f.store.FillLedger(f.ledger)
	}
	if err == nil {
		err = f.ledger.Write(f.store.Dir())
	}
	if err != nil {
		f.ledger.Reviews = false // the file does not have them
	}
	return err
}

// open reads the ledger. In a project that has none all files are written again.
func (f *maskFiles) open(ctx context.Context) (err error) {
	if f.ledger != nil {
		return nil
	}
	ledger, err := store.ReadLedger(f.store.Dir())
	if err != nil {
		return err
	}
	if ledger == nil {
		ledger = &store.Ledger{Reviews: true}
		if err := f.store.Rewrite(ctx); err != nil {
			return err
		}
	}
	if ledger.Cases == nil {
		ledger.Cases = map[string]store.LedgerCase{}
	}
	f.ledger = ledger
	return nil
}

func (f *maskFiles) path(elements ...string) string {
	return filepath.Join(append([]string{f.store.Dir(), "labels"}, elements...)...)
}

// writeMask writes the files of a case and returns the ID of the newest version in them.
func (f *maskFiles) writeMask(ctx context.Context, name string) (newest int64, err error) {
	labels, err := f.store.Labels(ctx, name)
	if err != nil {
		return 0, err
	}
	final, original := f.cases.emptyMask(name), f.cases.emptyMask(name)
	path := f.path("final", name+".nii.gz")
	one := store.LedgerCase{Case: f.cases.known(name)}
	var damaged error
	for _, l := range labels {
		newest = max(newest, l.ID)
		mask, err := l.Mask()
		held := err == nil
		if err != nil { // the file may hold the last copy of it
			damaged = err
			if mask, held, err = f.lastCopy(l); err != nil {
				return 0, err
			}
			if mask == nil {
				continue
			}
		}
		if held {
			one.Labels = append(one.Labels, l.Entry())
		}
		final.SetSlice(f.cases.config.Axis, l.Item.Slice, mask)
		begun, err := f.origin(ctx, l)
		if err != nil {
			return 0, err
		}
		if begun != nil {
			original.SetSlice(f.cases.config.Axis, l.Item.Slice, begun)
		}
	}
	f.events.lasts("label of "+name, coded(damaged, fault.LabelDamaged, "case", name))
	if _, err := f.prepare(name, original); err != nil {
		return 0, err
	}
	if err := atomicfile.Rename(f.prepared(name), f.path("original", name+".nii.gz")); err != nil {
		return 0, err
	}
	last := f.ledger.Cases[name]
	one.Before = last.Final
	if now, changed, err := last.Now(path); err == nil && !changed { // a kill may have left the file of before
		one.Before = now
	}
	if one.Final, err = f.prepare(name, final); err != nil {
		return 0, err
	}
	f.ledger.Cases[name] = one
	f.ledger.Newest = max(f.ledger.Newest, newest)
	return newest, nil
}

// prepared is the file that is about to take the place of a case's.
func (f *maskFiles) prepared(name string) string { return f.path(".new", name+".nii.gz") }

// prepare writes a mask that its owner alone can read, and returns what was written, whoever else writes to labels.
func (f *maskFiles) prepare(name string, m *volume.Mask) (seen contents.Seen, err error) {
	temp := f.prepared(name)
	if err := os.MkdirAll(filepath.Dir(temp), 0o700); err != nil {
		return seen, err
	}
	if err := volume.WriteMask(temp, m); err != nil {
		return seen, err
	}
	if err := os.Chmod(temp, 0o600); err != nil {
		return seen, err
	}
	return contents.Of(temp)
}

// publish puts a prepared file in its place. The list says already what it holds, so that a kill at any moment leaves a file that is known.
func (f *maskFiles) publish(name string) error {
	path := f.path("final", name+".nii.gz")
	if err := f.aside(name, path); err != nil {
		return err
	}
	return atomicfile.Rename(f.prepared(name), path)
}

// lastCopy returns what the mask files hold of a label that is damaged in the database, nil for nothing, and whether it is surely that version of it.
func (f *maskFiles) lastCopy(l store.Labelled) (mask []uint8, sure bool, err error) {
	name := l.Item.Case
	path, err := listed(f.store.Dir(), name, f.ledger.Cases[name])
	if err != nil {
		return nil, false, err
	}
	sure = path != "" && lists(f.ledger.Cases[name], l.Item.Slice, l.Version.Version)
	if path == "" {
		path = f.path("final", name+".nii.gz")
	}
	m, err := volume.ReadMask(path)
	if err != nil || m.Size != f.cases.grid(l.Item).Size {
		return nil, false, nil
	}
	return m.Slice(f.cases.config.Axis, l.Item.Slice), sure, nil
}

// aside keeps a file of labels/final that another program has changed: it moves it to labels/outside before it is replaced.
func (f *maskFiles) aside(name, path string) error {
	if _, changed, err := f.ledger.Cases[name].Now(path); errors.Is(err, fs.ErrNotExist) || err == nil && !changed {
		return nil
	}
	there, err := volume.ReadMask(path)
	if err != nil {
		return nil // garbled
	}
	if m, err := volume.ReadMask(f.prepared(name)); err == nil && slices.Equal(m.Data, there.Data) {
		return nil // what is written anyway
	}
	if err := os.MkdirAll(f.path("outside"), 0o700); err != nil {
		return err
	}
	to := store.Unused(f.path("outside", name+"-"+time.Now().UTC().Format("20060102T150405.000")), ".nii.gz")
	if err := atomicfile.Rename(path, to); err != nil {
		return err
	}
	f.events.lasts("outside "+name, nil)
	f.events.problem(fault.With(fmt.Errorf("labels/final/%s.nii.gz had been changed by another program: it is now %s, and the labels of the project are in its place", name, to),
		fault.MaskMoved, "case", name, "file", to))
	return nil
}

// verify looks at the files of labels/final. One that has gone or is garbled is written again; one that another program has changed is
// reported, and can be taken over.
func (f *maskFiles) verify(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.open(ctx); err != nil {
		return err
	}
	var lost []string
	for name, c := range f.ledger.Cases {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if f.cases.check(name) != nil {
			continue
		}
		path := f.path("final", name+".nii.gz")
		now, changed, err := c.Now(path)
		switch {
		case err != nil: // it is gone, or cannot be read: writing it tells
			lost = append(lost, name)
			continue
		case !changed:
			if now.SHA256 == c.Final.SHA256 {
				c.Final = now
				f.ledger.Cases[name] = c
			} // else it is stale, and written again
			f.events.lasts("outside "+name, nil)
			continue
		}
		if m, err := volume.ReadMask(path); err != nil || m.Size != f.cases.grid(Item{Case: name}).Size {
			lost = append(lost, name)
			continue
		}
		f.events.lasts("outside "+name, fault.With(fmt.Errorf("labels/final/%s.nii.gz was changed by another program: take it over with nextslice project take-over, while the server is stopped; "+
			"with the next label of the case it goes to labels/outside", name), fault.MaskChanged, "case", name))
	}
	if len(lost) == 0 {
		return nil
	}
	f.events.log.Warn(fmt.Sprintf("labels/final: %d files have gone or are damaged: they are written again", len(lost)))
	if err := f.store.Rewrite(ctx, lost...); err != nil {
		return err
	}
	wake(f.events.masks)
	return nil
}

// Times between two tries, two looks at the files, and two writes while people save.
const (
	firstRetry = time.Second
	lastRetry  = 5 * time.Minute
	lookEvery  = time.Minute
	writeEvery = time.Second
)

// run writes the files whenever labels have changed, and again, ever less often, where that has failed. It looks after them meanwhile.
func (f *maskFiles) run(ctx context.Context) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	if err := f.verify(ctx); err != nil && ctx.Err() == nil {
		f.events.lasts("labels", err)
	}
	wake(f.events.masks) // what the last server did not get to
	retry := firstRetry
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
			if err := f.verify(ctx); err != nil && ctx.Err() == nil {
				f.events.lasts("labels", err)
			}
			continue
		case <-again:
		case <-f.events.masks:
		}
		begin := time.Now()
		if f.write(ctx) != nil {
			again, retry = time.After(retry), min(2*retry, lastRetry)
		} else {
			again, retry = nil, firstRetry
		}
		select { // what is saved in the meantime is written together; the list of a large project takes a tenth of the time at most
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(writeEvery, 10*time.Since(begin))):
		}
	}
}

// origin returns the mask that a label began with, nil if it was drawn from nothing or that can no longer be read.
func (f *maskFiles) origin(ctx context.Context, l store.Labelled) ([]uint8, error) {
	known := func(mask []uint8, err error) ([]uint8, error) {
		if errors.Is(err, ErrNotFound) || errors.Is(err, store.ErrDamaged) {
			return nil, nil
		}
		return mask, err
	}
	if first, err := f.store.Versions(ctx, l.Item); err != nil {
		return nil, err
	} else if len(first) > 0 && first[0].Action == store.ActionAdopted {
		return known(f.store.VersionMask(ctx, l.Item, first[0].Version))
	}
	if l.Proposal == nil || f.cases.roles[l.Item.Case] == store.Validation {
		return nil, nil
	}
	return known(f.store.Proposal(ctx, l.Item, *l.Proposal))
}

// listOf returns labelled.csv: which slices are labelled, by whom and when, and what reviewers say.
func listOf(labels []store.Labelled) []byte {
	var list bytes.Buffer
	w := csv.NewWriter(&list)
	writeLabels(w, labels)
	w.Flush()
	return list.Bytes()
}

// writeLabels writes one line per label, with the review of the label as it is.
func writeLabels(w *csv.Writer, labels []store.Labelled) {
	w.Write([]string{"case", "slice", "use", "version", "person", "time", "seconds", "action", "proposal_model", "dice_to_proposal", "agreement", "review", "reviewer", "note"})
	for _, l := range labels {
		line := []string{
			cell.Text(l.Item.Case), strconv.Itoa(l.Item.Slice), string(l.Role), strconv.Itoa(l.Version.Version), cell.Text(l.Person),
			l.At.UTC().Format("2006-01-02T15:04:05Z"), strconv.FormatFloat(l.Seconds, 'f', 1, 64), l.Action,
			optional(l.Proposal, strconv.Itoa), optional(l.Dice, number), optional(l.Agreement, number),
		}
		if status := l.Status(); status == "" {
			line = append(line, "", "", "")
		} else {
			line = append(line, status, cell.Text(l.Review.Person), cell.Text(l.Review.Note))
		}
		w.Write(line)
	}
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }

func optional[T any](v *T, format func(T) string) string {
	if v == nil {
		return ""
	}
	return format(*v)
}
