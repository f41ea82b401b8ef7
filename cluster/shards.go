package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/nextslice/nextslice/internal/atomicfile"
)

// Shards is a command of this program that is divided into parts, each an element of a job array, which do not need each other:
// scoring a pool of a million slices, say. A part is finished when its file stands there, which the command must write as a whole, and is not outdated.
type Shards struct {
	Dir  string   `json:"-"`    // folder of the scripts, logs and results
	Name string   `json:"name"` // of the job
	Of   int      `json:"of"`   // parts, numbered from 1
	CPUs int      `json:"cpus"` // of each
	Args []string `json:"args"` // of the program; Part in them stands for the part's number
	File string   `json:"file"` // what a part leaves, in Dir, with Part in its name
	Jobs []jobID  `json:"jobs"` // submitted so far

	// Open says that an array was handed to SLURM whose id is not written down: SLURM knows it by its script, as long as it waits or runs.
	Open bool `json:"open,omitempty"`

	Program string                           `json:"-"` // that is copied to Dir; "" is this one
	Current func(part int, file string) bool `json:"-"` // tells whether the file of a part is what the command would write now; nil is that all are
}

// Part stands for the number of a part in the arguments of a command and in the name of its file.
const Part = "{}"

const shardsFile = "shards.json"

// OpenShards returns the parts that were submitted from a folder.
func OpenShards(dir string) (*Shards, error) {
	s := &Shards{Dir: dir}
	return s, readJSON(filepath.Join(dir, shardsFile), s)
}

// Files returns the files of all parts.
func (s *Shards) Files() (paths []string) {
	for part := range s.Of {
		paths = append(paths, s.file(part+1))
	}
	return paths
}

func (s *Shards) file(part int) string {
	return filepath.Join(s.Dir, strings.ReplaceAll(s.File, Part, strconv.Itoa(part)))
}

// finished tells whether a part is. Where it is not, outdated tells whether its file stands there all the same.
func (s *Shards) finished(part int) (is, outdated bool) {
	_, err := os.Stat(s.file(part))
	is = err == nil && (s.Current == nil || s.Current(part, s.file(part)))
	return is, err == nil && !is
}

// missing returns the parts that are neither finished nor among those given, and the files of these that are outdated.
func (s *Shards) missing(busy map[int]bool) (parts, outdated []string) {
	for part := 1; part <= s.Of; part++ {
		finished, old := s.finished(part)
		if finished || busy[part] {
			continue
		}
		parts = append(parts, strconv.Itoa(part))
		if old {
			outdated = append(outdated, s.file(part))
		}
	}
	return parts, outdated
}

// array returns the array of some parts as sbatch is told of it.
func (s *Shards) array(parts []string, o SlurmOptions) array {
	return array{
		name: "ns-" + s.Name, elements: o.limited(strings.Join(parts, ",")), cpus: s.CPUs,
		log: filepath.Join(s.Dir, "log", "part"), chdir: s.Dir, script: s.script(),
	}
}

// script is the file that each element runs.
func (s *Shards) script() string { return filepath.Join(s.Dir, "part.sh") }

// scriptText returns what stands in it.
func (s *Shards) scriptText(setup string) string {
	words := []string{quote(filepath.Join(s.Dir, programFile))}
	for _, a := range s.Args {
		var quoted []string
		for _, piece := range strings.Split(a, Part) {
			if piece != "" {
				piece = quote(piece)
			}
			quoted = append(quoted, piece)
		}
		words = append(words, strings.Join(quoted, `"$SLURM_ARRAY_TASK_ID"`))
	}
	return scriptOf(setup, s.CPUs, strings.Join(words, " "))
}

// queue asks SLURM about the parts that were submitted.
func (s *Shards) queue(ctx context.Context) ([]queued, error) {
	if s.Open {
		ids, err := submitted(ctx, s.script())
		if err != nil {
			return nil, err
		}
		s.found(ids)
	}
	return queue(ctx, s.Jobs)
}

// found counts arrays as submitted. It returns whether there is one that was not.
func (s *Shards) found(ids []jobID) (more bool) {
	for _, id := range ids {
		if !slices.ContainsFunc(s.Jobs, func(known jobID) bool { return known.ID == id.ID }) {
			s.Jobs, more = append(s.Jobs, id), true
		}
	}
	return more
}

// save writes down what was submitted; as long as nothing was, the folder is nobody's.
func (s *Shards) save() error {
	path := filepath.Join(s.Dir, shardsFile)
	if !s.Open && len(s.Jobs) == 0 {
		return os.Remove(path)
	}
	return writeJSON(path, s)
}

// Submit hands the parts to SLURM that are neither finished nor submitted already. It says how many, and as which job. Outdated files of theirs are removed.
func (s *Shards) Submit(ctx context.Context, o SlurmOptions) (string, error) {
	if err := s.check(); err != nil {
		return "", err
	}
	elements, err := s.queue(ctx)
	if err != nil {
		return "", fmt.Errorf("SLURM does not tell which parts wait or run: %w", err)
	}
	busy := map[int]bool{}
	for _, q := range elements {
		busy[q.Element] = busy[q.Element] || q.alive()
	}
	parts, outdated := s.missing(busy)
	if len(parts) == 0 {
		return "nothing is left to submit", nil
	}
	if err := s.write(o.Setup); err != nil {
		return "", err
	}
	for _, file := range outdated {
		if err := os.Remove(file); err != nil {
			return "", err
		}
	}
	s.Open = true
	if err := s.save(); err != nil {
		return "", err
	}
	id, err := o.submit(ctx, s.array(parts, o))
	if err == nil {
		s.found([]jobID{id})
	} else {
		ids, unclear := o.mayRun(ctx, s.script(), err)
		switch {
		case unclear != nil: // Open stays
			return "", fmt.Errorf("%w; jobs may have been submitted all the same, for SLURM does not tell (%w): give the same command again when it answers", err, unclear)
		case !s.found(ids):
			s.Open = false
			return "", errors.Join(fmt.Errorf("nothing was submitted: %w", err), s.save())
		}
		id = s.Jobs[len(s.Jobs)-1]
	}
	s.Open = false
	return fmt.Sprintf("%d of %d parts are job %s", len(parts), s.Of, id.ID), s.save()
}

// check refuses what could not be told apart later.
func (s *Shards) check() error {
	switch {
	case s.Of < 1 || s.Of > maxTasks:
		return fmt.Errorf("%d parts: want 1 to %d", s.Of, maxTasks)
	case !strings.Contains(s.File, Part):
		return fmt.Errorf("%s: all parts would write the same file", s.File)
	case !filepath.IsAbs(s.Dir):
		return fmt.Errorf("%s: want the whole path, which nodes can find", s.Dir)
	}
	return nil
}

func (s *Shards) write(setup string) error {
	if err := os.MkdirAll(filepath.Join(s.Dir, "log"), 0o700); err != nil {
		return err
	}
	if err := atomicfile.Write(s.script(), []byte(s.scriptText(setup)), 0o700); err != nil {
		return err
	}
	return copyProgram(s.Program, filepath.Join(s.Dir, programFile)) // again: parts of an older one could be outdated for ever
}

// ShardsView is what has become of the parts.
type ShardsView struct {
	Finished, Running, Waiting int
	Outdated                   int      // parts whose file is outdated, of which nothing waits or runs
	Ended                      []string // parts that ended without their file: number, log and last words
	Trouble                    error    // why SLURM did not answer
}

// Look tells what has become of the parts: finished is what stands in the folder and is not outdated.
func (s *Shards) Look(ctx context.Context) ShardsView {
	var v ShardsView
	elements, err := s.queue(ctx)
	v.Trouble = err
	last := map[int]queued{}
	for _, q := range elements {
		if there, ok := last[q.Element]; !ok || !there.alive() {
			last[q.Element] = q
		}
	}
	for part := 1; part <= s.Of; part++ {
		q, known := last[part]
		finished, outdated := s.finished(part)
		switch {
		case finished:
			v.Finished++
		case known && q.waits():
			v.Waiting++
		case known && q.alive():
			v.Running++
		case outdated:
			v.Outdated++
		case err == nil:
			v.Ended = append(v.Ended, s.lastWords(part))
		}
	}
	return v
}

// lastWords says how a part ended.
func (s *Shards) lastWords(part int) string {
	text := fmt.Sprintf("part %d", part)
	for i := len(s.Jobs) - 1; i >= 0; i-- {
		log := filepath.Join(s.Dir, "log", fmt.Sprintf("part-%s_%d.log", s.Jobs[i].ID, part))
		if lines := LastLines(log, 1); len(lines) > 0 {
			return fmt.Sprintf("%s (%s): %s", text, log, lines[0])
		}
	}
	return text + ": it left no log"
}
