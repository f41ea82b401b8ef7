// Package inputs knows whether a file that is to be written is one that the same command reads. None of these is ever replaced, whatever else was asked for.
package inputs

import "os"

// Among returns the first of a command's inputs that is the same file as path, by whichever name. A path where nothing is yet is none.
func Among(path string, inputs []string) (string, bool) {
	info, err := os.Stat(path)
	if err != nil {
		return "", false
	}
	for _, input := range inputs {
		if there, err := os.Stat(input); err == nil && os.SameFile(info, there) {
			return input, true
		}
	}
	return "", false
}
