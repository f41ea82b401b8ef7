package pacs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/nextslice/nextslice/volume"
)

// project is what push takes from labels/project.json, which the annotation server writes beside its masks in labels/final: what the classes are called,
// and how many slices of a case are labelled.
type project struct {
	Config struct {
		Classes []struct {
			Value int
			Name  string
		}
	}
	Cases map[string]struct {
		Slices int
		Labels []struct{ Slice int }
	}
}

// readProject reads it for a folder of masks; it is empty where the masks are of another program.
func readProject(masks string) (p project, err error) {
	path := filepath.Join(filepath.Dir(filepath.Clean(masks)), "project.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		return p, fmt.Errorf("%s: %w: check the project with nextslice project check", path, err)
	}
	return p, nil
}

// names returns those of the classes from 1 on, "" for a value between them that has none; empty where there are no classes.
func (p project) names() (names []string) {
	for _, c := range p.Config.Classes {
		if c.Value < 1 || c.Value > volume.Ignored {
			continue
		}
		for len(names) < c.Value {
			names = append(names, "")
		}
		names[c.Value-1] = c.Name
	}
	return names
}

// unfinished returns a warning where not all slices of a case are labelled.
func (p project) unfinished(name string) []string {
	if c, ok := p.Cases[name]; ok && len(c.Labels) < c.Slices {
		return []string{fmt.Sprintf("labelled slices: %d of %d; in the others nothing is drawn", len(c.Labels), c.Slices)}
	}
	return nil
}
