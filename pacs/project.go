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
// how many slices of a case are labelled, and what reviewers said of them.
type project struct {
	Config struct {
		Classes []struct {
			Value int
			Name  string
		}
		Preprocess struct{ Axis int }
	}
	Reviews bool // the labels have what reviewers said; lists of older programs do not
	Cases   map[string]struct {
		Slices int
		Labels []struct {
			Slice  int
			Review string
		}
	}
}

// readProject reads it for a folder of masks; it is empty where the masks are of another program.
func readProject(masks string) (p project, err error) {
	at, err := filepath.Abs(masks) // . has no folder above in its name
	if err != nil {
		return p, err
	}
	path := filepath.Join(filepath.Dir(at), "project.json")
	text, err := os.ReadFile(path)
	if real, links := filepath.EvalSymlinks(at); errors.Is(err, fs.ErrNotExist) && links == nil {
		path = filepath.Join(filepath.Dir(real), "project.json")
		text, err = os.ReadFile(path)
	}
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

// withhold takes out of a mask what a reviewer has refused, and returns a warning that tells how much. The rule is: a label that was rejected, or sent back and not saved again
// since, is not sent; what is to be discussed is, as is what nobody has reviewed.
func (p project) withhold(name string, s *volume.Segmentation) (warnings []string, err error) {
	c, ok := p.Cases[name]
	if ok && !p.Reviews && len(c.Labels) > 0 {
		warnings = append(warnings, "whether a reviewer has rejected some of it is not known: its labels/project.json is of an older nextslice; serve the project once to bring that up to date")
	}
	count := map[string]int{}
	for _, label := range c.Labels {
		count[label.Review]++
		if label.Review != "rejected" && label.Review != "returned" {
			continue
		}
		axis := p.Config.Preprocess.Axis
		if axis < 0 || axis > 2 || s.Size[axis] != c.Slices || label.Slice < 0 || label.Slice >= c.Slices {
			return nil, fmt.Errorf("a reviewer has refused slice %d, and which that is in the mask is not known: it has not the %d slices of the project", label.Slice, c.Slices)
		}
		at := s.Grid.Slices(axis)
		for _, layer := range s.Layers {
			for y := range at.Height {
				for x := range at.Width {
					layer[label.Slice*at.Step+y*at.Down+x*at.Right] = 0
				}
			}
		}
	}
	if n := count["rejected"] + count["returned"]; n > 0 {
		warnings = append(warnings, fmt.Sprintf("slices that a reviewer has refused: %d (rejected: %d, sent back: %d); nothing of them is sent", n, count["rejected"], count["returned"]))
	}
	if n := count["discuss"]; n > 0 {
		warnings = append(warnings, fmt.Sprintf("slices that a reviewer has marked for discussion: %d; they are sent", n))
	}
	return warnings, nil
}
