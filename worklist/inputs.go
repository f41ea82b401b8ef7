package worklist

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/nextslice/nextslice/internal/inputs"
	"github.com/nextslice/nextslice/model"
)

// networks are the files of networks that queries without --model leave in their work folder.
var networks = regexp.MustCompile(`^(model|module|member-\d+|teacher-\d+)\.safetensors$`)

// written are the other files that a query writes there.
var written = []string{stateFile, scoresFile, termsFile, copiesFile}

// CheckOutput refuses a file for an output that is an input of the query, the model or a list, or what the query keeps in its work folder. No input is ever removed or
// written by a query, wherever it lies; masks and images of the data set are seen to where proposals are written.
func (c Config) CheckOutput(path string) error {
	if file, is := inputs.Among(path, c.files()); is {
		return fmt.Errorf("%s is an input of this query (%s): give the output another name", path, file)
	}
	for _, name := range written {
		if _, is := inputs.Among(path, []string{filepath.Join(c.folder(), name)}); is {
			return fmt.Errorf("%s is what the query itself keeps in its work folder: give the output another name", path)
		}
	}
	return nil
}

// files are the inputs that the configuration names, but for the data set.
func (c Config) files() []string {
	files := append([]string(nil), c.Labelled...)
	if c.Model != "" {
		files = append(files, model.Files(c.Model)...)
	}
	return files
}

// checkInputs refuses inputs that the query would write over in its work folder.
func (q *run) checkInputs() error {
	for _, name := range written {
		if file, is := inputs.Among(filepath.Join(q.dir, name), q.files()); is {
			return fmt.Errorf("%s is an input, and the query writes a file of its own there: give it another name, or choose another folder with --work", file)
		}
	}
	return nil
}

// isInput reports whether a file is one of the data set's, or an input that the configuration names.
func (q *run) isInput(path string) bool {
	if _, err := os.Stat(path); err != nil {
		return false
	}
	all := q.files()
	for _, one := range q.set.Cases {
		images, label := one.Files()
		all = append(append(all, images...), label)
	}
	_, is := inputs.Among(path, all)
	return is
}
