package report

import (
	"fmt"
	"strings"

	"github.com/nextslice/nextslice/metrics"
)

// publishedCell is one cell of the paper's table. The star is the paper's, which does not name its test.
type publishedCell struct {
	mean, std float64
	star      bool
}

func (c publishedCell) String() string {
	if c.star {
		return fmt.Sprintf("%.1f* ± %.1f", c.mean, c.std)
	}
	return fmt.Sprintf("%.1f ± %.1f", c.mean, c.std)
}

// published is the paper's Table 1: mean and standard deviation over all cycles and five initial sets, on PROMISE12. Dice
// is in percent; distances are in voxels, because the paper resizes the slices. Source: Gaillochet, Desrosiers, Lombaert
// 2023, "Active learning for medical image segmentation with stochastic batches" (MIDL short paper), Table 1.
var published = map[string]map[string]publishedCell{
	metrics.NameDice3D: {
		"random": {68.8, 16.0, false}, "entropy": {67.0, 16.7, false}, "entropy+sb": {71.3, 17.4, true}, "dropout": {67.7, 17.2, false}, "dropout+sb": {72.6, 15.0, true},
	},
	metrics.NameDice2D: {
		"random": {67.9, 8.3, false}, "entropy": {66.9, 8.6, false}, "entropy+sb": {69.0, 9.0, true}, "dropout": {67.1, 9.5, false}, "dropout+sb": {69.6, 8.1, true},
	},
	metrics.NameHD95: {
		"random": {7.0, 3.7, false}, "entropy": {7.0, 4.3, false}, "entropy+sb": {6.7, 3.1, true}, "dropout": {7.0, 5.0, false}, "dropout+sb": {6.6, 3.2, true},
	},
}

// publishedRow heads the rows of the paper's figures.
const publishedRow = "published"

const publishedNote = "published: Gaillochet et al. 2023 (MIDL short paper), Table 1: PROMISE12, 5 initial sets, HD95 in voxels, " +
	"another recipe and split; its stars are the paper's, which names no test. Its code counts a slice that is empty in both masks as 1: its 2D DSC is to be " +
	"compared with the row \"empty as 1\". The order of the strategies can be compared, the values cannot."

// isPromise12 reports whether a data set's name is that of the paper's.
func isPromise12(name string) bool {
	return strings.Contains(strings.ToLower(name), "promise")
}
