//go:build !linux && !darwin

package annotate

import (
	"errors"
	"os"
)

// mapFile is not there: slices stay in memory.
func mapFile(*os.File, int64, int) ([]byte, error) { return nil, errors.ErrUnsupported }
