package pacs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"github.com/nextslice/nextslice/internal/atomicfile"
)

const recordName = "pacs.json"

// Folder holds pulled series, a folder per case, and the record of which series each is. One process works on it at a time.
type Folder struct {
	Dir    string
	record record
	lock   *flock.Flock
}

// record is pacs.json. Who the patients are only the images say.
type record struct {
	Cases  []Case   `json:"cases"`
	Pushed []Pushed `json:"pushed,omitempty"`
}

// Case is a series that was pulled, or is to be: it is whole when its folder is there.
type Case struct {
	Name      string         `json:"case"`
	Server    string         `json:"server"`
	Study     string         `json:"study"`
	Series    string         `json:"series"`
	Instances int            `json:"instances,omitempty"`
	Syntaxes  map[string]int `json:"transfer-syntaxes,omitempty"` // of the files
}

// Pushed is a segmentation that was sent, or was about to be.
type Pushed struct {
	Case     string    `json:"case"`
	To       string    `json:"to"`
	Instance string    `json:"instance"`
	Content  string    `json:"content"` // SHA-256 of what was sent, without its time
	Stored   bool      `json:"stored"`
	Warning  string    `json:"warning,omitempty"` // of the server, with which it stored the object
	Time     time.Time `json:"time"`
}

// Create opens a folder to pull into, and makes it where it is not there. It must be empty, or be one of ours. Close it.
func Create(dir string) (*Folder, error) {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	case !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == recordName }):
		if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() != lockName }) {
			return nil, fmt.Errorf("%s holds other files: choose a new folder", dir)
		}
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, err
	}
	f := &Folder{Dir: dir}
	if err := f.open(); err != nil {
		return nil, err
	}
	return f, nil
}

// Open opens a folder that was pulled. Close it.
func Open(dir string) (*Folder, error) {
	if _, err := os.Stat(filepath.Join(dir, recordName)); err != nil {
		return nil, fmt.Errorf("%s was not pulled from a PACS: there is no %s in it", dir, recordName)
	}
	f := &Folder{Dir: dir}
	if err := f.open(); err != nil {
		return nil, err
	}
	return f, nil
}

const lockName = ".pacs.lock"

func (f *Folder) open() error {
	f.lock = flock.New(filepath.Join(f.Dir, lockName), flock.SetPermissions(0o600))
	if ok, err := f.lock.TryLock(); err == nil && !ok {
		return fmt.Errorf("another nextslice works on %s: wait for it", f.Dir)
	}
	text, err := os.ReadFile(filepath.Join(f.Dir, recordName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(text, &f.record)
	}
	if err != nil {
		f.lock.Close()
		return fmt.Errorf("%s: %w; restore it from a copy, or pull into a new folder", filepath.Join(f.Dir, recordName), err)
	}
	return nil
}

// Close gives the folder free for others.
func (f *Folder) Close() error { return f.lock.Close() }

// save writes pacs.json.
func (f *Folder) save() error {
	text, err := json.MarshalIndent(f.record, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(f.Dir, recordName), append(text, '\n'), 0o600)
}

// Cases returns the series that are there as a whole, in the order of pulling.
func (f *Folder) Cases() []Case {
	return slices.DeleteFunc(slices.Clone(f.record.Cases), func(c Case) bool { return !f.whole(c) })
}

func (f *Folder) path(c Case) string { return filepath.Join(f.Dir, c.Name) }

func (f *Folder) whole(c Case) bool {
	info, err := os.Stat(f.path(c))
	return err == nil && info.IsDir()
}

// reserve returns the case of a series, a new one where there is none. Cases are called P001, P002 ...: nothing of the server is in a name.
func (f *Folder) reserve(server string, s Series) (int, error) {
	at := slices.IndexFunc(f.record.Cases, func(c Case) bool { return c.Series == s.UID && c.Study == s.Study })
	if at >= 0 {
		return at, nil
	}
	n := len(f.record.Cases) + 1
	for _, c := range f.record.Cases {
		var used int
		if _, err := fmt.Sscanf(c.Name, "P%d", &used); err == nil {
			n = max(n, used+1)
		}
	}
	f.record.Cases = append(f.record.Cases, Case{Name: fmt.Sprintf("P%03d", n), Server: server, Study: s.Study, Series: s.UID})
	return len(f.record.Cases) - 1, f.save()
}
