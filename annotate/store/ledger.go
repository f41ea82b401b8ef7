package store

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/nextslice/nextslice/annotate/store/seal"
	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/internal/contents"
)

// Ledger is labels/project.json: which project the mask files beside it belong to, and what they hold. From it and the files the labels can
// be restored where project.db is lost; and it tells a database that is older than the files.
type Ledger struct {
	Project string                `json:"project"` // the project's ID
	Name    string                `json:"name"`
	At      time.Time             `json:"at"`
	Newest  int64                 `json:"newest"` // ID of the newest version in the files
	Digest  string                `json:"digest"` // of that version
	Config  json.RawMessage       `json:"config"`
	Cases   map[string]LedgerCase `json:"cases"`
	Reviews bool                  `json:"reviews,omitempty"` // the labels have what reviewers said; lists of older programs do not
}

// LedgerCase is what is known of the mask files of a case.
type LedgerCase struct {
	Case
	Final  contents.Seen `json:"final"`  // labels/final/CASE.nii.gz as it was written
	Before contents.Seen `json:"before"` // as it was until then: the list is written before the files get their names
	Labels []LedgerLabel `json:"labels"`
}

// LedgerLabel is a label that the files hold.
type LedgerLabel struct {
	Slice   int       `json:"slice"`
	Version int       `json:"version"`
	Person  string    `json:"person"`
	At      time.Time `json:"at"`
	Action  string    `json:"action"`
	Review  string    `json:"review,omitempty"` // status of the review of this version, "" without one
}

// Entry returns what a ledger has of a label.
func (l Labelled) Entry() LedgerLabel {
	return LedgerLabel{Slice: l.Item.Slice, Version: l.Version.Version, Person: l.Person, At: l.At, Action: l.Action, Review: l.Status()}
}

// Review brings the reviews of a ledger in line with those of the labels, of which the files may hold older versions, and reports whether that
// changed anything.
func (l *Ledger) Review(labels []Labelled) (changed bool) {
	changed = !l.Reviews
	l.Reviews = true
	for _, label := range labels {
		for i, known := range l.Cases[label.Item.Case].Labels {
			if now := label.Entry(); now.Slice == known.Slice && now.Version == known.Version && now.Review != known.Review {
				l.Cases[label.Item.Case].Labels[i].Review, changed = now.Review, true
			}
		}
	}
	return changed
}

// Now returns what a file of labels/final holds, and whether that is something else than the program has written.
func (c LedgerCase) Now(path string) (now contents.Seen, changed bool, err error) {
	now, changed, err = c.Final.Now(path)
	if err == nil && changed && c.Before.SHA256 == now.SHA256 {
		changed = false
	}
	return now, changed, err
}

func ledgerPath(dir string) string { return filepath.Join(dir, "labels", "project.json") }

// ReadLedger returns the ledger of a project folder, nil where there is none.
func ReadLedger(dir string) (*Ledger, error) {
	text, err := os.ReadFile(ledgerPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var l Ledger
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, fmt.Errorf("%s: %w: delete that file if project.db is the project's newest", ledgerPath(dir), err)
	}
	return &l, nil
}

// Write replaces the ledger in a project folder.
func (l *Ledger) Write(dir string) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "labels"), 0o700); err != nil {
		return err
	}
	return atomicfile.Write(ledgerPath(dir), append(text, '\n'), 0o600)
}

// holdsMasks reports whether there are mask files of a project in a folder.
func holdsMasks(dir string) bool {
	entries, err := os.ReadDir(filepath.Join(dir, "labels", "final"))
	return err == nil && len(entries) > 0
}

// MismatchError says that project.db is not that of the folder's mask files, or not as new.
type MismatchError struct{ text string }

func (e *MismatchError) Error() string { return e.text }

// there says what is in the mask files, for a message.
func (l *Ledger) there() string {
	n := 0
	for _, c := range l.Cases {
		n += len(c.Labels)
	}
	return fmt.Sprintf("labels/final holds %d labels of %d cases, the last of %s", n, len(l.Cases), l.At.Local().Format("2 January 2006 15:04"))
}

// checkMissing refuses to begin anew where a project was.
func checkMissing(dir string) error {
	if there, err := HasDatabase(dir); err != nil || there {
		return err
	}
	l, err := ReadLedger(dir)
	if err != nil {
		return err
	}
	const help = "nothing was begun anew, so that no label is overwritten; nextslice project restore puts project.db back, from labels/final or from a copy in backups"
	switch {
	case l != nil:
		return &MismatchError{"project.db is missing or empty, and " + l.there() + ": " + help}
	case holdsMasks(dir):
		return &MismatchError{"project.db is missing or empty, and labels/final holds masks: " + help}
	}
	for _, path := range []string{seal.Path(dir), sumPath(dir)} { // which a server leaves
		if _, err := os.Stat(path); err == nil {
			return &MismatchError{"project.db is missing or empty, and a server had it open here: " + help}
		}
	}
	if copies, _ := filepath.Glob(filepath.Join(dir, "backups", "*.db")); len(copies) > 0 {
		return &MismatchError{"project.db is missing or empty, and backups holds copies of it: " + help}
	}
	return nil
}

// checkLedger refuses a database that is another one than that of the mask files, or older, and names a project that has no name yet.
func (s *Store) checkLedger() error {
	var stored int
	if err := s.db.QueryRow(`SELECT count(*), coalesce(max(id), '') FROM project`).Scan(&stored, &s.id); err != nil {
		return err
	}
	l, err := ReadLedger(s.dir)
	if err != nil {
		return err
	}
	if s.id == "" {
		s.id = rand.Text()
		if l != nil {
			return &MismatchError{"project.db has no identity, and " + l.there() + ": it is not the project's newest; see nextslice project restore"}
		}
		if stored > 0 {
			_, err := s.db.Exec(`UPDATE project SET id = ?`, s.id)
			return err
		}
		return nil // SetConfig stores it
	}
	if l == nil {
		return nil
	}
	if l.Project != s.id {
		return &MismatchError{fmt.Sprintf("project.db is that of another project (%s) than the mask files (%s): put the right one back, or restore it with nextslice project restore", s.id, l.Project)}
	}
	var newest int64
	var at string
	if err := s.db.QueryRow(`SELECT coalesce(max(id), 0), coalesce(max(at), '') FROM versions`).Scan(&newest, &at); err != nil {
		return err
	}
	older := newest < l.Newest
	if !older && l.Digest != "" {
		digest, err := s.digestOf(l.Newest)
		if err != nil {
			return err
		}
		older = digest != "" && digest != l.Digest
	}
	if older {
		return &MismatchError{fmt.Sprintf("project.db is older than the mask files: its last label is of %s, %s; see nextslice project check, and project restore, which puts the newer labels into it",
			parseTime(at).Local().Format("2 January 2006 15:04"), l.there())}
	}
	return nil
}

// digestOf returns the digest of a version by its ID, "" where it has none.
func (s *Store) digestOf(id int64) (string, error) {
	var digest []byte
	err := s.db.QueryRow(`SELECT coalesce((SELECT digest FROM versions WHERE id = ?), x'')`, id).Scan(&digest)
	return hex.EncodeToString(digest), err
}

// ID returns the project's identity.
func (s *Store) ID() string { return s.id }

// FillLedger fills in what the database knows: identity, configuration, and the newest version up to an ID.
func (s *Store) FillLedger(l *Ledger) error {
	var config string
	if err := s.reads.QueryRow(`SELECT id, name, config FROM project`).Scan(&l.Project, &l.Name, &config); err != nil {
		return fmt.Errorf("read the project's configuration: %w", plain(err))
	}
	var digest []byte
	if err := s.reads.QueryRow(`SELECT coalesce((SELECT digest FROM versions WHERE id = ?), x'')`, l.Newest).Scan(&digest); err != nil {
		return fmt.Errorf("read versions: %w", plain(err))
	}
	l.At, l.Config, l.Digest = s.now().UTC(), json.RawMessage(config), hex.EncodeToString(digest)
	return nil
}
