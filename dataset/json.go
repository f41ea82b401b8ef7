package dataset

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	pathpkg "path"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/nextslice/nextslice/volume"
)

// jsonFile is what we read of a dataset.json. Other fields are of no concern here.
type jsonFile struct {
	Name     string  `json:"name"`
	Labels   labels  `json:"labels"`
	Training entries `json:"training"`
	// Annotated lists the classes that were looked for in a case, by its ID; an entry of Training can say the same of its own.
	Annotated map[string]annotation `json:"annotated"`

	// The channels' names, by number: as nnU-Net calls them, and as the Decathlon does. Other forms are passed over.
	ChannelNames json.RawMessage `json:"channel_names"`
	Modality     json.RawMessage `json:"modality"`

	classes  []string // nil where the file names none that can be used
	values   []uint8  // of the classes from 1 on, nil if these are 1, 2 …
	ignore   uint8    // the value named "ignore", 0 if there is none
	problems []Problem
}

// entries are the cases of a Decathlon's training list.
type entries []entry

// entry is a case: {"image": "a.nii.gz", "label": "b.nii.gz"}, also with lists of paths, as MONAI has them, or the image's path alone.
type entry struct {
	Image, Label string
	Annotated    annotation
	more         int // images beside the first
}

func (e *entry) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &e.Image) == nil {
		return nil
	}
	var both struct {
		Image, Label paths
		Annotated    annotation
	}
	if err := json.Unmarshal(data, &both); err != nil {
		return err
	}
	if len(both.Label) > 1 {
		return fmt.Errorf("an entry of training has %d masks, want one", len(both.Label))
	}
	e.Annotated = both.Annotated
	if len(both.Image) > 0 {
		e.Image, e.more = both.Image[0], len(both.Image)-1
	}
	if len(both.Label) > 0 {
		e.Label = both.Label[0]
	}
	return nil
}

// paths is one path or a list of them.
type paths []string

func (p *paths) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		if one != "" {
			*p = paths{one}
		}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(p))
}

// UnmarshalJSON reads a list of names and numbers.
func (a *annotation) UnmarshalJSON(data []byte) error {
	var list []any
	if err := json.Unmarshal(data, &list); err != nil {
		return fmt.Errorf("annotated: want a list of classes: %w", err)
	}
	if list == nil { // null
		return nil
	}
	*a = annotation{}
	for _, one := range list {
		switch v := one.(type) {
		case string:
			*a = append(*a, v)
		case float64:
			*a = append(*a, strconv.FormatFloat(v, 'g', -1, 64))
		default:
			return fmt.Errorf("annotated: want names or values of classes, got %v", one)
		}
	}
	return nil
}

// ids names the cases of the training list: by their files or, where several files have one name, by the folders that they lie in, as
// far as these differ, else by both.
func (j *jsonFile) ids() []string {
	ids, dirs := make([]string, len(j.Training)), make([]string, len(j.Training))
	of, in := map[string]map[string]bool{}, map[string]int{} // the folders of each name, the files in folders of each name
	for n, t := range j.Training {
		path := pathpkg.Clean(strings.ReplaceAll(t.Image, "\\", "/"))
		ids[n], dirs[n] = volume.TrimExt(pathpkg.Base(path)), pathpkg.Dir(path)
		if of[ids[n]] == nil {
			of[ids[n]] = map[string]bool{}
		}
		of[ids[n]][dirs[n]] = true
		in[pathpkg.Base(dirs[n])]++
	}
	for n, file := range ids {
		parent := pathpkg.Base(dirs[n])
		switch {
		case len(of[file]) < 2 || strings.HasPrefix(parent, ".") || parent == "/":
		case in[parent] == 1 && of[parent] == nil:
			ids[n] = parent
		default:
			ids[n] = strings.ReplaceAll(strings.Trim(dirs[n], "/."), "/", "_") + "_" + file
		}
	}
	return ids
}

// labels is value: name in the Decathlon ("1": "prostate") and name: value in nnU-Net ("prostate": 1).
type labels map[string]any

// UnmarshalJSON reads an object; of a list nobody can say whether it begins with the background.
func (l *labels) UnmarshalJSON(data []byte) error {
	var m map[string]any
	if json.Unmarshal(data, &m) != nil {
		return errors.New(`labels: want names and values, {"background": 0, "prostate": 1}, and no list`)
	}
	*l = m
	return nil
}

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
	j, err := parseJSON(decode(data))
	if err != nil {
		return nil, fmt.Errorf("open data set: %s: %w", path, err)
	}
	return j, nil
}

// decode returns a text as UTF-8 without byte order mark.
func decode(data []byte) []byte {
	var order binary.ByteOrder = binary.LittleEndian
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return data[3:]
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		order = binary.BigEndian
	case !bytes.HasPrefix(data, []byte("\xff\xfe")):
		return data
	}
	var units []uint16
	for i := 2; i+1 < len(data); i += 2 {
		units = append(units, order.Uint16(data[i:]))
	}
	return []byte(string(utf16.Decode(units)))
}

func parseJSON(data []byte) (*jsonFile, error) {
	j := &jsonFile{}
	if err := json.Unmarshal(data, j); err != nil {
		return nil, err
	}
	if err := j.name(); err != nil {
		j.problems = append(j.problems, Problem{
			Text: fmt.Sprintf("dataset.json: %v: its class names are not used, but the values in the masks", err)})
		j.classes, j.values, j.ignore = nil, nil, 0
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
		if name == "ignore" && class > 0 { // as nnU-Net has it
			j.ignore = uint8(class)
			continue
		}
		for len(j.classes) <= class {
			j.classes = append(j.classes, "")
		}
		if j.classes[class] != "" {
			return fmt.Errorf("value %d has two names, %q and %q", class, min(name, j.classes[class]), max(name, j.classes[class]))
		}
		j.classes[class] = name
	}
	if j.ignore > 0 && int(j.ignore) < len(j.classes) {
		return fmt.Errorf("label \"ignore\" is %d: want a value above those of all classes", j.ignore)
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
