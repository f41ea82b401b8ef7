package dataset

import (
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

	// The channels' names, by number: as nnU-Net calls them, and as the Decathlon does. Other forms are passed over.
	ChannelNames json.RawMessage `json:"channel_names"`
	Modality     json.RawMessage `json:"modality"`

	classes  []string // nil where the file names none that can be used
	problems []Problem
}

// entries are the cases of a Decathlon's training list.
type entries []struct {
	Image string `json:"image"`
	Label string `json:"label"`
}

// labels is value: name in the Decathlon ("1": "prostate") and name: value in nnU-Net ("prostate": 1).
type labels map[string]any

// channels returns the channels' names, without those that follow a number without name; nil where there are none.
func (j *jsonFile) channels() (names []string) {
	var byNumber map[string]string
	if json.Unmarshal(j.ChannelNames, &byNumber) != nil || len(byNumber) == 0 {
		byNumber = nil
		if json.Unmarshal(j.Modality, &byNumber) != nil {
			return nil
		}
	}
	for byNumber[strconv.Itoa(len(names))] != "" {
		names = append(names, byNumber[strconv.Itoa(len(names))])
	}
	return names
}

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
		j.classes = nil
	}
	return j, nil
}

// name makes the list of classes. Values that have no name get one.
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
	for v, name := range j.classes {
		switch {
		case name != "":
		case v == 0:
			j.classes[v] = "background"
		default:
			j.classes[v] = fmt.Sprintf("class %d", v)
		}
	}
	return nil
}
