package safetensors

import (
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/volume/fuzztest"
)

func raw(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

var example = &File{
	Metadata: map[string]string{"format": "test", "a": "1"},
	Tensors: []Tensor{
		Float32s("w", []int{2, 3}, []float32{1, -2, 3, 4, 5, 6.5}),
		{Name: "labels", DType: "U8", Shape: []int{3}, Data: []byte{7, 8, 9}},
		{Name: "none", DType: "F32", Shape: []int{0, 4}, Data: []byte{}},
		Float32s("scalar", []int{}, []float32{42}),
	},
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := Write(path, example); err != nil {
		t.Fatal(err)
	}
	f, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(example, f); diff != "" {
		t.Error(diff)
	}
	w, _ := f.Find("w")
	if x, err := w.Float32s(); err != nil || x[5] != 6.5 {
		t.Errorf("w: %v, %v", x, err)
	}
	labels, _ := f.Find("labels")
	if _, err := labels.Float32s(); err == nil {
		t.Error("labels: no error for U8 read as F32")
	}
	if header := binary.LittleEndian.Uint64(f.Encode()); header%8 != 0 {
		t.Errorf("the data begin at byte %d, want a multiple of 8", 8+header)
	}
}

func TestHostileFiles(t *testing.T) {
	huge := binary.LittleEndian.AppendUint64(nil, 1<<63)
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":              {nil, "too short"},
		"huge header":        {append(huge, '{', '}'), "header of"},
		"header beyond file": {raw("{}", 0)[:9], "header of"},
		"no object":          {raw("[]", 0), "begin with {"},
		"broken JSON":        {raw(`{"a":`, 0), "EOF"},
		"unclosed":           {raw(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`, 0), "EOF"},
		"text after":         {raw(`{}{}`, 0), "goes on"},
		"twice": {raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2),
			"twice"},
		"unknown type":      {raw(`{"a":{"dtype":"Q4","shape":[1],"data_offsets":[0,1]}}`, 1), "unknown type"},
		"unknown field":     {raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}}`, 1), "unknown field"},
		"no shape":          {raw(`{"a":{"dtype":"U8","data_offsets":[0,1]}}`, 1), "no shape"},
		"negative extent":   {raw(`{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}`, 1), "shape [-1]"},
		"product overflows": {raw(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), "shape"},
		"extent overflows":  {raw(`{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,0]}}`, 0), "cannot unmarshal"},
		"shape and bytes":   {raw(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), "takes 8"},
		"negative offset":   {raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}}`, 1), "data offsets"},
		"backward offsets":  {raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}`, 1), "data offsets"},
		"three offsets":     {raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}`, 1), "data offsets"},
		"cut short":         {raw(`{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}}`, 4), "cut short"},
		"longer":            {raw(`{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}}`, 6), "beyond the last"},
		"gap":               {raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), "gap"},
		"overlap": {raw(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3),
			"overlap"},
		"metadata of numbers": {raw(`{"__metadata__":{"a":1}}`, 0), "__metadata__"},
	} {
		_, err := Decode(c.file)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

// What Decode accepts, Encode writes such that it decodes to the same.
func FuzzDecode(f *testing.F) {
	f.Add(example.Encode())
	f.Add(raw("{}", 0))
	f.Add(raw(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  `, 4))
	f.Fuzz(func(t *testing.T, data []byte) {
		var file *File
		var err error
		fuzztest.Bound(t, func() int { file, err = Decode(data); return 0 })
		if err != nil {
			return
		}
		total := 0
		for _, x := range file.Tensors {
			total += len(x.Data)
		}
		if total > len(data) {
			t.Fatalf("%d bytes of arrays in a file of %d", total, len(data))
		}
		again, err := Decode(file.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(file, again); diff != "" {
			t.Error(diff)
		}
	})
}
