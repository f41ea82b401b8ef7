package annotate

import (
	"context"
	"encoding/json"
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
	"github.com/nextslice/nextslice/internal/contents"
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
	if err := store.CheckSeal(dir); err != nil {
		f.fault("%v", err)
	}
	s, faults, err := store.Snapshot(ctx, dir)
	if _, mismatch := errors.AsType[*store.MismatchError](err); mismatch {
		f.fault("%v", err)
		return f, nil
	}
	if err != nil {
		return f, err
	}
	if s == nil {
		return f, fmt.Errorf("%s holds no project", dir)
	}
	defer s.Close()
	for _, text := range faults {
		f.fault("project.db: %s", text)
	}
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
	if err != nil {
		return f, err
	}
	versions, err := s.History(ctx)
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
// and computes stored sums anew. What it replaces is kept in backups. The data's files, as they are now, are taken for right.
func Repair(ctx context.Context, dir string, now func() time.Time) (done []string, err error) {
	say := func(format string, args ...any) { done = append(done, fmt.Sprintf(format, args...)) }
	unsealed := store.CheckSeal(dir)
	s, faults, err := store.Snapshot(ctx, dir)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, fmt.Errorf("%s holds no project", dir)
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	if unsealed != nil && len(faults) == 0 {
		say("project.db is not as it was written, though SQLite finds no fault in it: masks have hashes of their own and were looked at one by one; the queue, drafts and the list of people have none: where they matter, restore a copy of backups")
	}
	if len(faults) > 0 {
		aside, err := store.PutAside(dir, "damaged", now())
		if err != nil {
			return nil, err
		}
		found, err := store.Salvage(ctx, aside, dir, now)
		if err != nil {
			return nil, err
		}
		say("project.db was made anew: %d versions, %d labels and %d lines of the log could be read; the damaged one is %s",
			found["versions"], found["labels"], found["events"], aside)
		if found["project"] == 0 {
			return done, fmt.Errorf("the project's configuration could not be read: put a copy of project.db back with nextslice project restore")
		}
	}
	if s, err = store.OpenUnchecked(ctx, dir, now); err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := repairLabels(ctx, s, say); err != nil {
		return done, err
	}
	if ledger, err := store.ReadLedger(dir); err == nil && ledger != nil && ledger.Project == s.ID() {
		n, err := mergeFinal(ctx, s, ledger)
		if err != nil {
			return done, err
		}
		if n > 0 {
			say("%d labels that the database had lost, or never had, came from labels/final", n)
		}
		if err := fillLedger(ctx, s, ledger); err != nil {
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
func repairLabels(ctx context.Context, s *store.Store, say func(string, ...any)) error {
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
	files := finalFiles{s: s}
	var masks []store.Recovered
	labels, err := s.LabelList(ctx, "")
	if err != nil {
		return err
	}
	for _, l := range labels {
		if !bad[l.Item][l.Version.Version] {
			continue
		}
		if mask := files.slice(ctx, l.Item); mask != nil {
			masks = append(masks, store.Recovered{Item: l.Item, Person: l.Person, At: l.At, Action: store.ActionRecovered, Mask: mask})
			say("%s: its damaged label came back from labels/final", l.Item)
		} else if mask, number, err := s.NewestIntact(ctx, l.Item, l.Version.Version); err == nil {
			masks = append(masks, store.Recovered{Item: l.Item, Action: store.ActionRecovered, Mask: mask})
			say("%s: its damaged label is lost, version %d is in its place: look at it", l.Item, number)
		} else {
			say("%s: its label is damaged and there is no other copy: label it again", l.Item)
		}
	}
	return s.Recover(ctx, "repair", masks)
}

// finalFiles reads labels/final without the data.
type finalFiles struct {
	s     *store.Store
	axis  int
	read  bool
	masks map[string]*volume.Mask
}

func (f *finalFiles) slice(ctx context.Context, item Item) []uint8 {
	if !f.read {
		f.read, f.masks = true, map[string]*volume.Mask{}
		var c Config
		if _, err := f.s.Config(ctx, &c); err != nil {
			f.axis = -1
		}
		f.axis = c.Preprocess.Axis
	}
	m, known := f.masks[item.Case]
	if !known {
		m, _ = volume.ReadMask(filepath.Join(f.s.Dir(), "labels", "final", item.Case+".nii.gz"))
		f.masks[item.Case] = m
	}
	if m == nil || f.axis < 0 || item.Slice >= m.Size[f.axis] {
		return nil
	}
	return m.Slice(f.axis, item.Slice)
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
		slices.SortFunc(copies, func(a, b string) int { return modified(b).Compare(modified(a)) })
		copies = slices.DeleteFunc(copies, func(p string) bool {
			info, err := os.Stat(p)
			return strings.HasPrefix(filepath.Base(p), "damaged-") || err != nil || info.Size() == 0
		})
		if len(copies) > 0 {
			from = copies[0]
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
		if _, err := store.PutAside(dir, "replaced", now()); err != nil { // an empty file, or a log alone
			return done, err
		}
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
	n, err := mergeFinal(ctx, s, ledger)
	if err != nil {
		return done, err
	}
	say("%d labels came from labels/final", n)
	return done, fillLedger(ctx, s, ledger)
}

// fillLedger brings a ledger in line with a database whose labels are now at least those of the files.
func fillLedger(ctx context.Context, s *store.Store, l *store.Ledger) (err error) {
	labels, err := s.LabelList(ctx, "")
	if err != nil {
		return err
	}
	for name, c := range l.Cases {
		c.Labels = nil
		for _, label := range labels {
			if label.Item.Case == name {
				c.Labels = append(c.Labels, label.Entry())
			}
		}
		l.Cases[name] = c
	}
	if l.Newest, err = s.NewestID(ctx); err != nil {
		return err
	}
	if err := s.FillLedger(l); err != nil {
		return err
	}
	return l.Write(s.Dir())
}

func modified(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// mergeFinal makes those slices of labels/final labels that the database lacks or has older versions of.
func mergeFinal(ctx context.Context, s *store.Store, l *store.Ledger) (n int, err error) {
	cases, err := s.Cases(ctx)
	if err != nil {
		return 0, err
	}
	known := map[string]bool{}
	for _, c := range cases {
		known[c.Name] = true
	}
	labels, err := s.LabelList(ctx, "")
	if err != nil {
		return 0, err
	}
	have := map[Item]int{}
	for _, label := range labels {
		have[label.Item] = label.Version.Version
	}
	files := finalFiles{s: s}
	for name, c := range l.Cases {
		c.Case.Name = name
		if !known[name] {
			if err := s.AddCase(ctx, c.Case, nil); err != nil {
				return n, err
			}
		}
		listed := map[int]bool{}
		var masks []store.Recovered
		for _, label := range c.Labels {
			item := Item{Case: name, Slice: label.Slice}
			listed[label.Slice] = true
			if have[item] >= label.Version {
				continue
			}
			if mask := files.slice(ctx, item); mask != nil {
				masks = append(masks, store.Recovered{Item: item, Person: label.Person, At: label.At, Action: store.ActionRecovered, Mask: mask})
			}
		}
		for k := range c.Slices { // written after the list: it is labelled if anything is drawn on it
			item := Item{Case: name, Slice: k}
			if listed[k] || have[item] > 0 {
				continue
			}
			if mask := files.slice(ctx, item); mask != nil && foreground(mask) {
				masks = append(masks, store.Recovered{Item: item, Action: store.ActionRecovered, Mask: mask})
			}
		}
		if err := s.Recover(ctx, "restore", masks); err != nil {
			return n, err
		}
		n += len(masks)
	}
	return n, nil
}

// TakeOver makes what another program has changed in labels/final labels of a project that nobody serves: new versions of the slices that
// differ. It returns how many.
func TakeOver(ctx context.Context, dir string, names []string, now func() time.Time) (n int, err error) {
	if !store.Exists(dir) {
		return 0, fmt.Errorf("%s holds no project", dir)
	}
	s, err := store.Open(ctx, dir, now)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	ledger, err := store.ReadLedger(dir)
	if err != nil {
		return 0, err
	}
	if ledger == nil {
		return 0, fmt.Errorf("%s: labels/final is not written yet, or was by an older nextslice: serve the project once", dir)
	}
	var config Config
	if err := json.Unmarshal(ledger.Config, &config); err != nil {
		return 0, err
	}
	for _, name := range names {
		c, ok := ledger.Cases[name]
		if !ok {
			return n, fmt.Errorf("labels/final holds no case %q", name)
		}
		masks, err := outside(ctx, s, config, c, name)
		if err != nil {
			return n, err
		}
		if err := s.Recover(ctx, "taken over", masks); err != nil {
			return n, err
		}
		n += len(masks)
		if c.Final, err = contents.Of(filepath.Join(dir, "labels", "final", name+".nii.gz")); err != nil {
			return n, err
		}
		ledger.Cases[name] = c
		if err := ledger.Write(dir); err != nil {
			return n, err
		}
	}
	return n, nil
}

// outside returns the slices of a mask file that differ from the labels.
func outside(ctx context.Context, s *store.Store, config Config, c store.LedgerCase, name string) (masks []store.Recovered, err error) {
	m, err := volume.ReadMask(filepath.Join(s.Dir(), "labels", "final", name+".nii.gz"))
	if err != nil {
		return nil, err
	}
	h, w := config.Preprocess.SliceSize(m.Grid)
	if config.Preprocess.Slices(m.Grid) != c.Slices || h != c.Height || w != c.Width {
		return nil, fmt.Errorf("labels/final/%s.nii.gz has another size than the case", name)
	}
	for i, v := range m.Data {
		if !config.isClass(v) {
			return nil, fmt.Errorf("labels/final/%s.nii.gz: voxel %d has the value %d, which is no class of the project", name, i, v)
		}
	}
	for k := range c.Slices {
		item := Item{Case: name, Slice: k}
		slice := m.Slice(config.Preprocess.Axis, k)
		label, _, err := s.Label(ctx, item)
		switch {
		case errors.Is(err, ErrNotFound) && !foreground(slice), err == nil && slices.Equal(label, slice):
			continue
		case err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrDamaged):
			return nil, err
		}
		if state, err := s.State(item); err != nil {
			return nil, err
		} else if state.Row != nil && state.Row.Readings > 1 {
			return nil, fmt.Errorf("%s is being read by two people: decide that first", item)
		}
		masks = append(masks, store.Recovered{Item: item, Action: store.ActionOutside, Mask: slice})
	}
	return masks, nil
}

// Backup copies the database of a project folder, as it is at this moment, also while it is served. The file must not be there.
func Backup(ctx context.Context, dir, path string) error { return store.BackupFolder(ctx, dir, path) }
