package page_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nextslice/nextslice/annotate/fault"
	"github.com/nextslice/nextslice/dataset/phantom"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/volume"
)

// caseFiles are the cases of all fake servers, and a folder with their images and masks as files.
type caseFiles struct {
	all map[string]*fakeCase
	dir string
}

// fakeCases makes the cases once for all tests of this package, which change nothing of them.
var fakeCases = sync.OnceValues(func() (caseFiles, error) {
	dir, err := folder("nextslice-cases")
	if err != nil {
		return caseFiles{}, err
	}
	c := caseFiles{map[string]*fakeCase{"prostate": phantomCase(), "wide": wideCase()}, dir}
	for name, one := range c.all {
		err = errors.Join(err,
			volume.WriteVolume(filepath.Join(dir, name+"-image.nii.gz"), one.image),
			volume.WriteMask(filepath.Join(dir, name+"-label.nii.gz"), one.mask),
			volume.WriteMask(filepath.Join(dir, name+"-proposal.nii.gz"), one.mask))
	}
	return c, err
})

func phantomCase() *fakeCase {
	image, mask := phantom.Generate(random.Stream(1, "x", 2))
	return &fakeCase{image, mask, map[string]string{"left": "R", "right": "L", "top": "A", "bottom": "P"}}
}

func wideCase() *fakeCase {
	const n, slices = 320, 12
	grid := volume.Grid{Size: [3]int{n, n, slices}, Unit: "mm",
		Affine: [3][4]float64{{0.5, 0, 0, -80}, {0, 1, 0, -160}, {0, 0, 3, -20}}}
	image := &volume.Volume{Grid: grid, Data: make([]float32, grid.Len()), Stored: "float32"}
	mask := &volume.Mask{Grid: grid, Data: make([]uint8, grid.Len())}
	rng := random.Stream(3, "wide")
	for i := range image.Data {
		x, y, z := float64(i%n)-150, float64(i/n%n)-170, float64(i/n/n)-6
		r := math.Hypot(x/90, y/60) + 0.02*z*z
		image.Data[i] = float32(400/(1+math.Exp(12*(r-1))) + 60*math.Sin(x/17)*math.Cos(y/11) + 15*rng.NormFloat64())
		if r < 1 {
			mask.Data[i] = 1
			if r < 0.5 {
				mask.Data[i] = 2
			}
		}
	}
	return &fakeCase{image, mask, map[string]string{"left": "L", "right": "R", "top": "P", "bottom": "A"}}
}

func (f *fake) split(item string) (*fakeCase, string, int) {
	cut := strings.LastIndex(item, "/")
	if cut < 0 {
		return nil, "", 0
	}
	k, err := strconv.Atoi(item[cut+1:])
	c := f.cases[item[:cut]]
	if err != nil || c == nil || k >= c.image.Size[2] {
		return nil, "", 0
	}
	return c, item[:cut], k
}

// slice is the masks' part of slice k.
func (c *fakeCase) slice(k int) []byte {
	n := c.mask.Size[0] * c.mask.Size[1]
	return c.mask.Data[k*n : (k+1)*n]
}

// proposal is the mask moved by two columns and a row: something to correct.
func (f *fake) proposal(item string) []byte {
	c, _, k := f.split(item)
	w, h := c.mask.Size[0], c.mask.Size[1]
	mask, out := c.slice(k), make([]byte, w*h)
	if f.propose != nil {
		return f.propose(item)
	}
	if f.noProposal[item] {
		return out
	}
	for y := 1; y < h; y++ {
		copy(out[y*w+2:(y+1)*w], mask[(y-1)*w:])
	}
	return out
}

// uncertainty is high where the proposal's neighbours differ.
func (f *fake) uncertainty(item string) []float32 {
	c, _, _ := f.split(item)
	p, w := f.proposal(item), c.mask.Size[0]
	out := make([]float32, len(p))
	for i := range p {
		for _, d := range []int{1, 2, 3, w, 2 * w, 3 * w} {
			if i+d < len(p) && p[i] != p[i+d] {
				out[i] += 0.11
				out[i+d] += 0.11
			}
		}
	}
	return out
}

func (f *fake) task(item string) map[string]any {
	c, name, k := f.split(item)
	s, size := c.image.Spacing(), c.image.Size
	low, high := c.image.Data[0], c.image.Data[0]
	for _, v := range c.image.Data {
		low, high = min(low, v), max(high, v)
	}
	var label any
	if v := f.labels[item]; len(v) > 0 {
		label = v[len(v)-1].Version
	}
	task := map[string]any{
		"item": item, "case": name, "modality": "MR", "presets": []any{}, "drafts": []any{}, "slice": k, "slices": size[2], "height": size[1], "width": size[0],
		"spacing": []float64{s[1], s[0]}, "unit": "mm", "orientation": c.orientation, "position_mm": c.image.World(0, 0, float64(k))[2],
		"step_mm": s[2], "window": map[string]float32{"low": low, "high": high * 0.8}, "score": 0.31 - 0.01*float64(slices.Index(f.order, item)),
		"rank": slices.Index(f.order, item) + 1, "proposal": true, "uncertainty": true, "label": label, "draft": f.drafts[item] != nil, "draft_base": f.bases[item],
		"purpose": "training", "skipped": f.skips[item] != "", "labelled_slices": f.marked(name, true), "queued_slices": f.marked(name, false),
		"lease": map[string]any{"person": "ada", "until": time.Now().Add(time.Hour)}, "model": 3,
	}
	if f.channels {
		task["channels"] = []map[string]any{
			{"name": "T2", "window": map[string]float32{"low": low, "high": high * 0.8}},
			{"name": "ADC", "window": map[string]float32{"low": 1000 - high, "high": 1000 - low}}}
	}
	if f.change != nil {
		f.change(item, task)
	}
	return task
}

// marked are the slices of a case that are labelled, or those that wait.
func (f *fake) marked(name string, labelled bool) []int {
	out, of := []int{}, f.order
	if labelled {
		of = slices.Sorted(maps.Keys(f.labels))
	}
	for _, item := range of {
		if _, of, k := f.split(item); of == name && (len(f.labels[item]) > 0) == labelled {
			out = append(out, k)
		}
	}
	return out
}

// next is the best waiting item after another one, nil at the end.
func (f *fake) next(after string) any {
	from := slices.Index(f.order, after) + 1
	for i := range f.order {
		item := f.order[(from+i)%len(f.order)]
		if item != after && len(f.labels[item]) == 0 && f.skips[item] == "" {
			return f.task(item)
		}
	}
	return nil
}

// better is why the model is in use.
var better = saidAs(fault.ModelBetter, "dice", 0.847, "before", 0.812)

// saidAs is a text of the server's as its one code.
func saidAs(code fault.Code, pairs ...any) []fault.Message {
	return []fault.Message{fault.Say(code, pairs...)}
}

func fakeCurves() map[string]any {
	var labels []map[string]any
	for n := range 18 {
		var dice any
		if n >= 6 {
			dice = 0.93 - 0.5*math.Exp(-float64(n)/5) - 0.04*math.Abs(math.Sin(3.1*float64(n)))
		}
		labels = append(labels, map[string]any{"n": n + 1, "item": fmt.Sprintf("prostate/%03d", n), "dice_to_proposal": dice, "seconds": 95 - 3*float64(n) + 14*math.Sin(5*float64(n))})
	}
	return map[string]any{
		"cycles": []map[string]any{
			{"cycle": 0, "labelled": 6, "minutes": 9.5, "validation_dice": 0.62, "proposal_dice": nil},
			{"cycle": 1, "labelled": 12, "minutes": 17.0, "validation_dice": 0.812, "proposal_dice": 0.74},
			{"cycle": 2, "labelled": 18, "minutes": 22.5, "validation_dice": 0.847, "proposal_dice": 0.861}},
		"labels": labels, "judged": map[string]any{"labels": 14, "foreground": 11, "cases": 3}, "forecast": map[string]any{"next_labels": 6, "gain": 0.014, "text": "The next 6 labels are expected to bring +0.014 validation Dice.", "said": saidAs(fault.ForecastGain, "n", 6, "gain", 0.014)},
	}
}
