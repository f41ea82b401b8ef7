package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/nextslice/nextslice/internal/atomicfile"
)

// Pseudo are the pseudo-labels of a training: names of items, and the mask of each.
type Pseudo struct {
	Names []string
	Masks [][]uint8
}

// pseudoFile is Pseudo as it stands in a file: each mask as value and length of its runs in turn.
type pseudoFile struct {
	Items []pseudoItem `json:"items"`
}

type pseudoItem struct {
	Name string `json:"name"`
	Runs []int  `json:"runs"`
}

func (f *Folder) pseudo(u Unit, cycle int) string {
	return f.path("units", u.Name(), fmt.Sprintf("pseudo-%d.json", cycle))
}

// RecordPseudo writes the pseudo-labels that the model of a cycle is trained on: before the cycle that found them is recorded, for the network
// that did is gone afterwards. Those of the cycle before the last are removed.
func (f *Folder) RecordPseudo(u Unit, cycle int, p Pseudo) error {
	if err := os.MkdirAll(filepath.Dir(f.pseudo(u, cycle)), 0o700); err != nil {
		return err
	}
	if err := WritePseudo(f.pseudo(u, cycle), p); err != nil {
		return err
	}
	if err := os.Remove(f.pseudo(u, cycle-2)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// Pseudo returns what RecordPseudo wrote, of masks of so many pixels.
func (f *Folder) Pseudo(u Unit, cycle, pixels int) (Pseudo, error) {
	p, err := ReadPseudo(f.pseudo(u, cycle), pixels)
	if err != nil {
		return p, fmt.Errorf("pseudo-labels of cycle %d: %w", cycle, err)
	}
	return p, nil
}

// WritePseudo replaces a file of pseudo-labels as a whole.
func WritePseudo(path string, p Pseudo) error {
	file := pseudoFile{Items: []pseudoItem{}}
	for i, mask := range p.Masks {
		file.Items = append(file.Items, pseudoItem{p.Names[i], runLengths(mask)})
	}
	text, err := json.Marshal(file)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, append(text, '\n'), 0o600)
}

// ReadPseudo reads a file that WritePseudo wrote, of masks of so many pixels. A missing one is os.ErrNotExist.
func ReadPseudo(path string, pixels int) (p Pseudo, err error) {
	var file pseudoFile
	if err := readJSON(path, &file); err != nil {
		return p, err
	}
	for _, item := range file.Items {
		var mask []uint8
		for i := 0; i+1 < len(item.Runs) && len(mask) <= pixels; i += 2 {
			for range min(item.Runs[i+1], pixels+1) {
				mask = append(mask, uint8(item.Runs[i]))
			}
		}
		if len(mask) != pixels {
			return p, fmt.Errorf("%s: the mask of %s does not have %d pixels", path, item.Name, pixels)
		}
		p.Names, p.Masks = append(p.Names, item.Name), append(p.Masks, mask)
	}
	return p, nil
}

func runLengths(mask []uint8) (runs []int) {
	for i, v := range mask {
		if i == 0 || v != mask[i-1] {
			runs = append(runs, int(v), 0)
		}
		runs[len(runs)-1]++
	}
	return runs
}
