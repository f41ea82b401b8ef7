package annotate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/volume"

	"github.com/nextslice/nextslice/annotate/store"
)

// Findings are what is wrong with a project, and what is worth knowing.
type Findings struct {
	Faults []string // something must be done
	Notes  []string
}

func (f *Findings) fault(format string, args ...any) {
	f.Faults = append(f.Faults, fmt.Sprintf(format, args...))
}

func (f *Findings) note(format string, args ...any) {
	f.Notes = append(f.Notes, fmt.Sprintf(format, args...))
}

// Check looks at all that is in a project folder and changes nothing; a server may have it open.
func Check(ctx context.Context, dir string) (f Findings, err error) {
	if _, err := os.Stat(dir); err != nil {
		return f, err
	}
	unsealed := store.CheckSeal(dir)
	if store.Unsealed(unsealed) {
		f.fault("%v", unsealed)
	} else if unsealed != nil && !errors.Is(unsealed, fs.ErrNotExist) { // of which Snapshot tells
		return f, unsealed
	}
	s, faults, err := store.Snapshot(ctx, dir)
	if _, mismatch := errors.AsType[*store.MismatchError](err); mismatch {
		f.fault("%v", err)
		return f, nil
	}
	for _, text := range faults {
		f.fault("project.db: %s", text)
	}
	if errors.Is(err, ErrDamaged) {
		return f, nil // no more can be read of it
	}
	if err != nil {
		return f, err
	}
	if s == nil {
		return f, fmt.Errorf("%s holds no project", dir)
	}
	defer s.Close()
	var c Config
	if _, err := s.Config(ctx, &c); err == nil {
		err = c.Validate()
		if err != nil {
			f.fault("the project's configuration cannot be carried out: %v: serve the project with other values", err)
		}
	} else if !errors.Is(err, ErrNotFound) {
		f.fault("%v", err)
	}
	damaged, err := s.Damaged(ctx)
	if err != nil {
		f.fault("%v", err)
		return f, ctx.Err()
	}
	for _, v := range damaged {
		f.fault("version %d of %s, by %s: its mask is damaged", v.Version, v.Item, v.Person)
	}
	labels, err := s.LabelList(ctx, "")
	var versions []store.Version
	if err == nil {
		versions, err = s.History(ctx)
	}
	if errors.Is(err, ErrDamaged) {
		f.fault("%v", err)
		return f, nil
	}
	if err != nil {
		return f, err
	}
	f.note("project.db: %d labels, %d versions, %d of them damaged", len(labels), len(versions), len(damaged))
	ledger, err := store.ReadLedger(dir)
	if err != nil {
		f.fault("%v", err)
	} else if ledger != nil {
		checkFiles(dir, ledger, s.ID(), labels, &f)
	}
	copies, _ := filepath.Glob(filepath.Join(dir, "backups", "*.db"))
	slices.Sort(copies)
	f.note("backups: %d copies of project.db", len(copies))
	for _, path := range slices.DeleteFunc(slices.Clone(copies), func(path string) bool { return !early(path, time.Now()) }) {
		f.note("%s is of a time that is still to come: a clock was wrong; it does not count as a daily copy", path)
	}
	others := runtime.GOOS != "windows" // there it is the folder's access list that says who may read
	for _, path := range append(copies, filepath.Join(dir, "project.db"), filepath.Join(dir, "labels")) {
		if info, err := os.Stat(path); err == nil && others && info.Mode().Perm()&0o077 != 0 {
			if folder, err := os.Stat(dir); err == nil && folder.Mode().Perm()&0o077 != 0 {
				f.note("%s can be read by other users of this machine: chmod -R go= %s", path, dir)
				break
			}
		}
	}
	return f, ctx.Err()
}

// checkFiles compares the mask files with what was written, and with the database.
func checkFiles(dir string, l *store.Ledger, id string, labels []store.Labelled, f *Findings) {
	if l.Project != id {
		f.fault("project.db is that of another project (%s) than labels (%s)", id, l.Project)
		return
	}
	have := map[Item]int{}
	for _, label := range labels {
		have[label.Item] = label.Version.Version
	}
	newer := 0
	for name, c := range l.Cases {
		for _, label := range c.Labels {
			if have[Item{Case: name, Slice: label.Slice}] < label.Version {
				newer++
			}
		}
		path := filepath.Join(dir, "labels", "final", name+".nii.gz")
		_, changed, err := c.Now(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			f.note("labels/final/%s.nii.gz is missing: it is written again when the project is served", name)
		case err != nil:
			f.fault("%v", err)
		case changed:
			if _, err := volume.ReadMask(path); err != nil {
				f.note("labels/final/%s.nii.gz is damaged: it is written again when the project is served", name)
			} else {
				f.note("labels/final/%s.nii.gz was changed by another program: nextslice project take-over %s %s makes it the label", name, dir, name)
			}
		}
	}
	if newer > 0 {
		f.fault("labels/final holds %d labels that are newer than those of project.db: nextslice project restore %s puts them into it", newer, dir)
	}
}

// Repair makes a project whole again as far as that can be done without loss, and tells what it did: it makes a damaged database anew
// from all that can be read of it, puts in the place of damaged labels what labels/final holds of them, or else the newest earlier version,
// and computes stored sums anew. What it replaces is kept in backups, and is moved there when what takes its place is whole: a database that could not be looked at, whatever the reason, is
// no damaged one, and stays. The data's files, as they are now, are taken for right.
func Repair(ctx context.Context, dir string, now func() time.Time) (done []string, err error) {
	say := func(format string, args ...any) { done = append(done, fmt.Sprintf(format, args...)) }
	unsealed := store.CheckSeal(dir)
	if unsealed != nil && !store.Unsealed(unsealed) && !errors.Is(unsealed, fs.ErrNotExist) {
		return nil, unsealed
	}
	ledger, err := store.ReadLedger(dir)
	if err != nil {
		return nil, err
	}
	s, faults, err := store.Snapshot(ctx, dir)
	damaged := errors.Is(err, ErrDamaged) || len(faults) > 0
	if err != nil && !errors.Is(err, ErrDamaged) {
		return nil, err
	}
	if s != nil {
		if err := s.Close(); err != nil {
			return nil, err
		}
	} else if !damaged {
		return nil, fmt.Errorf("%s holds no project", dir)
	}
	if unsealed != nil && !damaged {
		say("project.db is not as it was written, though SQLite finds no fault in it: masks have hashes of their own and were looked at one by one; the queue, drafts and the list of people have none: where they matter, restore a copy of backups")
	}
	if damaged {
		found, aside, err := store.Salvage(ctx, dir, now)
		if err != nil && aside != "" {
			say("the damaged project.db is now %s", aside)
		}
		if err != nil {
			return done, err
		}
		say("project.db was made anew: %d versions, %d labels and %d lines of the log could be read; the damaged one is %s",
			found["versions"], found["labels"], found["events"], aside)
	}
	if s, err = store.OpenUnchecked(ctx, dir, now); err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	ours := ledger == nil || ledger.Project == s.ID()
	files, err := openFinal(ctx, s, ledger, ours)
	if err != nil {
		return done, err
	}
	if err := repairLabels(ctx, s, files, say); err != nil {
		return done, err
	}
	if ledger != nil && ours {
		n, tell, err := files.merge(ctx)
		if err != nil {
			return done, err
		}
		if n > 0 {
			say("%d labels that the database had lost, or never had, came from labels/final", n)
		}
		done = append(done, tell...)
		if err := files.fillLedger(ctx); err != nil {
			return done, err
		}
	}
	if err := s.Recompute(ctx); err != nil {
		return done, err
	}
	if err := s.ForgetContents(ctx); err != nil {
		return done, err
	}
	say("sums of times were computed anew; the data's files are taken as they are now")
	return done, nil
}

// repairLabels puts an intact mask in the place of every damaged label.
func repairLabels(ctx context.Context, s *store.Store, files *finalFiles, say func(string, ...any)) error {
	damaged, err := s.Damaged(ctx)
	if err != nil {
		return err
	}
	bad := map[Item]map[int]bool{}
	for _, v := range damaged {
		if bad[v.Item] == nil {
			bad[v.Item] = map[int]bool{}
		}
		bad[v.Item][v.Version] = true
	}
	var masks []store.Recovered
	labels, err := s.LabelList(ctx, "")
	if err != nil {
		return err
	}
	for _, l := range labels {
		if !bad[l.Item][l.Version.Version] {
			continue
		}
		mask, sure, err := files.slice(l.Item, l.Version.Version)
		if err != nil {
			return err
		}
		if mask != nil && sure {
			masks = append(masks, store.Recovered{Item: l.Item, Person: l.Person, At: l.At, Action: store.ActionRecovered, Mask: mask, Review: l.Status()})
			say("%s: its damaged label came back from labels/final", l.Item)
		} else if mask != nil {
			masks = append(masks, store.Recovered{Item: l.Item, Action: store.ActionRecovered, Mask: mask})
			say("%s: its damaged label is lost, what labels/final holds is in its place, maybe of another version or program: look at it", l.Item)
		} else if mask, number, err := s.NewestIntact(ctx, l.Item, l.Version.Version); err == nil {
			masks = append(masks, store.Recovered{Item: l.Item, Action: store.ActionRecovered, Mask: mask})
			say("%s: its damaged label is lost, version %d is in its place: look at it", l.Item, number)
		} else if !errors.Is(err, ErrNotFound) {
			return err
		} else {
			say("%s: its label is damaged and there is no other copy: label it again", l.Item)
		}
	}
	return s.Recover(ctx, "repair", masks)
}

// Restore puts project.db back: from a copy, or, without one, where it is missing, from the newest copy in backups, and then puts in what
// labels/final holds that is newer. It is also for a database that is older than labels/final. What it replaces is kept in backups; nothing is moved for a copy that is none of the
// project's, see store.PutBack.
func Restore(ctx context.Context, dir, from string, now func() time.Time) (done []string, err error) {
	say := func(format string, args ...any) { done = append(done, fmt.Sprintf(format, args...)) }
	if _, err := os.Stat(dir); err != nil {
		return nil, err
	}
	if err := store.CheckFolder(dir); err != nil {
		return nil, err
	}
	ledger, err := store.ReadLedger(dir)
	if err != nil {
		return nil, err
	}
	there, err := store.HasDatabase(dir)
	if err != nil {
		return nil, err
	}
	missing := !there
	if missing && from == "" {
		copies, _ := filepath.Glob(filepath.Join(dir, "backups", "*.db"))
		copies = slices.DeleteFunc(copies, func(p string) bool {
			info, err := os.Stat(p)
			return strings.HasPrefix(filepath.Base(p), "damaged-") || err != nil || info.Size() == 0
		})
		later := func(path string) int { // those of a time that is still to come are the last choice: a clock was wrong
			if early(path, now()) {
				return 1
			}
			return 0
		}
		slices.SortFunc(copies, func(a, b string) int { return cmp.Or(later(a)-later(b), modified(b).Compare(modified(a))) })
		if len(copies) > 0 {
			from = copies[0]
		}
		for _, path := range copies[min(1, len(copies)):] {
			if later(path) > later(from) {
				say("passed over, since it is of a time that is still to come: %s", path)
			}
		}
	}
	if missing && from == "" && ledger == nil {
		return nil, errors.New("there is neither a copy of project.db nor a list of what labels/final holds: name a copy with --from, or begin a new project with the masks of labels/final as those of the data")
	}
	switch {
	case from != "":
		aside, err := store.PutBack(ctx, dir, from, ledger, now())
		if aside != "" {
			say("the project.db that was there is now %s", aside)
		}
		if err != nil {
			return done, err
		}
		say("project.db is now the copy %s", from)
	case missing:
		if err := store.Begin(ctx, dir, ledger, now); err != nil {
			return done, err
		}
		models := filepath.Join(dir, "models")
		if _, err := os.Stat(models); err == nil {
			to := store.Unused(filepath.Join(dir, "backups", "models-"+now().UTC().Format("20060102T150405")), "")
			if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
				return done, err
			}
			if err := atomicfile.Rename(models, to); err != nil {
				return done, err
			}
			say("models are counted anew; those of before are in %s", to)
		}
		say("project.db was begun anew from labels/project.json: history, queue and people are lost")
	}
	s, err := store.OpenUnchecked(ctx, dir, now)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if ledger == nil {
		return done, nil
	}
	if s.ID() != ledger.Project {
		return done, fmt.Errorf("project.db is that of another project (%s) than labels (%s)", s.ID(), ledger.Project)
	}
	files, err := openFinal(ctx, s, ledger, true)
	if err != nil {
		return done, err
	}
	n, tell, err := files.merge(ctx)
	if err != nil {
		return done, err
	}
	say("%d labels came from labels/final", n)
	done = append(done, tell...)
	return done, files.fillLedger(ctx)
}

// early reports whether a copy is of a time that is still to come, by the day that it is called after or by when it was written.
func early(path string, now time.Time) bool {
	day, err := time.ParseInLocation(time.DateOnly, strings.TrimSuffix(filepath.Base(path), ".db"), now.Location())
	return err == nil && day.After(now) || modified(path).After(now)
}

// modified returns when a file was written, the zero time where that cannot be told.
func modified(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// Backup copies the database of a project folder, as it is at this moment, also while it is served. The file must not be there.
func Backup(ctx context.Context, dir, path string) error { return store.BackupFolder(ctx, dir, path) }
