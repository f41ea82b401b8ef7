package dataset

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
)

// jsonFile is what we read of a dataset.json. Other fields are of no concern here.
type jsonFile struct {
	Name     string  `json:"name"`
	Labels   labels  `json:"labels"`
	Training entries `json:"training"`

	classes  []string // nil where the file names none that can be used
	values   []uint8  // of the classes from 1 on, nil if these are 1, 2 …
	problems []Problem
}

// entries are the cases of a Decathlon's training list.
type entries []struct {
	Image string `json:"image"`
	Label string `json:"label"`
}

// labels is value: name in the Decathlon ("1": "prostate") and name: value in nnU-Net ("prostate": 1).
type labels map[string]any

func readJSON(path string) (*jsonFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("open data set: %w", err)
	}
	j, err := parseJSON(data)
	if err != nil {
		return nil, fmt.Errorf("open data set: %s: %w", path, err)
	}
	return j, nil
}

func parseJSON(data []byte) (*jsonFile, error) {
	j := &jsonFile{}
	if err := json.Unmarshal(data, j); err != nil {
		return nil, err
	}
	if err := j.name(); err != nil {
		j.problems = append(j.problems, Problem{
			Text: fmt.Sprintf("dataset.json: %v: its class names are not used, but the values in the masks", err)})
		j.classes, j.values = nil, nil
	}
	return j, nil
}

// name makes the list of classes. Values that have no name are no class.
func (j *jsonFile) name() error {
	for key, value := range j.Labels {
		name, text := key, ""
		switch v := value.(type) {
		case string: // Decathlon
			name, text = v, key
		case float64: // nnU-Net
			text = strconv.FormatFloat(v, 'g', -1, 64)
		case []any:
			return fmt.Errorf("label %q is a region of several values, which is not supported", key)
		default:
			return fmt.Errorf("label %q is neither a name nor a value", key)
		}
		class, err := strconv.Atoi(text)
		if _, named := strconv.Atoi(name); err != nil && named == nil {
			name, text = text, name // nnU-Net with the value as text: "prostate": "1"
			class, err = strconv.Atoi(text)
		}
		if err != nil || class < 0 || class > 255 {
			return fmt.Errorf("label %q: want a value from 0 to 255, got %q", name, text)
		}
		for len(j.classes) <= class {
			j.classes = append(j.classes, "")
		}
		if j.classes[class] != "" {
			return fmt.Errorf("value %d has two names, %q and %q", class, min(name, j.classes[class]), max(name, j.classes[class]))
		}
		j.classes[class] = name
		if name == "ignore" {
			j.problems = append(j.problems, Problem{Text: fmt.Sprintf("dataset.json: label %q (%d) is learned like any other class", name, class)})
		}
	}
	if len(j.classes) == 0 {
		return nil
	}
	classes, values := []string{cmp.Or(j.classes[0], background)}, []uint8{}
	for v, name := range j.classes[1:] {
		if name != "" {
			classes, values = append(classes, name), append(values, uint8(v+1))
		}
	}
	if len(classes) < len(j.classes) {
		j.values = values
	}
	j.classes = classes
	return nil
}
