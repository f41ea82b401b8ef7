package worklist

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/nextslice/nextslice/volume"
)

// propose writes what the network makes of the cases with picks: NAME.seg.nrrd with its mask, in the label values that predict writes, and
// NAME-uncertainty.nii.gz. Files that are there stay, unless they are to be replaced; a case whose mask is there is passed over. A map without its mask is
// what an interrupted query has left, and is written again. The folder is none of the data set's, see checkProposals.
func (q *run) propose(ctx context.Context, r *Result) error {
	if q.Proposals == "" || len(r.Picks) == 0 {
		return nil
	}
	if q.net.Model == nil {
		q.notice("no proposals: " + q.spec.String() + " needs no network, and none was given with --model")
		return nil
	}
	if err := os.MkdirAll(q.Proposals, 0o700); err != nil {
		return err
	}
	var cases []int
	seen := map[string]bool{}
	for _, p := range r.Picks {
		if !seen[p.Case] {
			seen[p.Case] = true
			cases = append(cases, q.set.Index(p.Case))
		}
	}
	for n, index := range cases {
		q.progress(Progress{Phase: "propose", Done: n, Of: len(cases)})
		id := q.set.Cases[index].ID
		name := filepath.Join(q.Proposals, strings.ReplaceAll(id, "/", "_"))
		mask, entropy := name+".seg.nrrd", name+"-uncertainty.nii.gz"
		if _, err := os.Lstat(mask); err == nil && !q.Replace {
			q.notice(fmt.Sprintf("%s is there and stays; --force replaces it", mask))
			continue
		} else if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		images, err := q.set.Images(index)
		if err != nil {
			return err
		}
		prediction, err := q.net.Segment(ctx, images, true, nil)
		if err != nil {
			return fmt.Errorf("case %s: %w", id, err)
		}
		for _, w := range prediction.Warnings {
			q.notice(fmt.Sprintf("case %s: %s", id, w))
		}
		if err := volume.WriteVolume(entropy, prediction.Uncertainty); err != nil {
			return err
		}
		if err := volume.WriteSegmentation(mask, q.net.Segments(prediction.Mask)); err != nil {
			return err
		}
	}
	return nil
}
