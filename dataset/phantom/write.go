package phantom

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/volume"
)

// Write makes a data set of the given number of cases in a new or empty folder, in the Decathlon layout: dataset.json,
// imagesTr/phantom_000.nii.gz …, labelsTr/phantom_000.nii.gz …. Case n depends on the seed and on n alone, so a larger
// set begins with the smaller one. progress, which may be nil, is called after each case.
//
// dataset.json is written last: where it is missing, the work was interrupted, and the same call does it again.
func Write(ctx context.Context, dir string, cases int, seed uint64, progress func(done, total int)) error {
	return WriteChannels(ctx, dir, cases, 1, seed, progress)
}

// WriteChannels is Write, for two channels in nnU-Net's layout: the images that Write makes as phantom_000_0000.nii.gz, and those
// of GenerateTwo weighted by proton density as phantom_000_0001.nii.gz.
func WriteChannels(ctx context.Context, dir string, cases, channels int, seed uint64, progress func(done, total int)) error {
	if channels < 1 || channels > 2 {
		return fmt.Errorf("write phantom: want 1 or 2 channels, got %d", channels)
	}
	if cases < 1 {
		return fmt.Errorf("write phantom: want at least one case, got %d", cases)
	}
	finish, err := begin(dir, fmt.Sprintf("%d cases, %d channels, seed %d\n", cases, channels, seed))
	if err != nil {
		return fmt.Errorf("write phantom: %w", err)
	}
	for _, name := range []string{"imagesTr", "labelsTr"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return fmt.Errorf("write phantom: %w", err)
		}
	}
	type entry struct {
		Image string `json:"image"`
		Label string `json:"label"`
	}
	training := make([]entry, cases)
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(runtime.GOMAXPROCS(0))
	var mutex sync.Mutex
	done := 0
	for n := range cases {
		name := fmt.Sprintf("phantom_%03d.nii.gz", n)
		training[n] = entry{"./imagesTr/" + name, "./labelsTr/" + name}
		workers.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			images, mask := generate(random.Stream(seed, "phantom", n), channels)
			for c, image := range images {
				file := name
				if channels > 1 {
					file = fmt.Sprintf("phantom_%03d_%04d.nii.gz", n, c)
				}
				if err := volume.WriteVolume(filepath.Join(dir, "imagesTr", file), image); err != nil {
					return err
				}
			}
			if err := volume.WriteMask(filepath.Join(dir, "labelsTr", name), mask); err != nil {
				return err
			}
			mutex.Lock()
			defer mutex.Unlock()
			if err := ctx.Err(); err != nil { // what progress stops stays unfinished, however many are written at the same time
				return err
			}
			if done++; progress != nil {
				progress(done, cases)
			}
			return nil
		})
	}
	if err := workers.Wait(); err != nil {
		return fmt.Errorf("write phantom: %w", err)
	}
	description := map[string]any{
		"name":            "Phantom",
		"description":     fmt.Sprintf("Synthetic T2-weighted MR of the prostate, seed %d", seed),
		"tensorImageSize": "3D",
		"modality":        map[string]string{"0": "MRI"},
		"labels":          map[string]string{"0": "background", "1": "prostate"},
		"numTraining":     cases,
		"training":        training,
	}
	if channels > 1 {
		delete(description, "training") // nnU-Net has none
		delete(description, "modality")
		description["channel_names"] = map[string]string{"0": "T2", "1": "PD"}
		description["labels"] = map[string]int{"background": 0, "prostate": 1}
		description["file_ending"] = ".nii.gz"
	}
	data, err := json.MarshalIndent(description, "", " ")
	if err != nil {
		return fmt.Errorf("write phantom: %w", err)
	}
	if err := atomicfile.Write(filepath.Join(dir, "dataset.json"), append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write phantom: %w", err)
	}
	return finish()
}

// begin makes the folder, with a file that says what is being written to it as long as that is not finished. It refuses a folder with
// anything else in it.
func begin(dir, what string) (finish func() error, err error) {
	marker := filepath.Join(dir, ".unfinished")
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	before, err := os.ReadFile(marker)
	switch {
	case len(entries) > 0 && err != nil:
		return nil, fmt.Errorf("%s is not empty: name a new folder", dir)
	case err == nil && string(before) != what && len(before) > 0:
		return nil, fmt.Errorf("%s holds an unfinished data set of %s: name a new folder, or delete that one", dir, strings.TrimSpace(string(before)))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	atomicfile.Sweep(dir)
	return func() error { return os.Remove(marker) }, os.WriteFile(marker, []byte(what), 0o644)
}

func generate(rng *rand.Rand, channels int) ([]*volume.Volume, *volume.Mask) {
	if channels == 1 {
		image, mask := Generate(rng)
		return []*volume.Volume{image}, mask
	}
	t2, pd, mask := GenerateTwo(rng)
	return []*volume.Volume{t2, pd}, mask
}
