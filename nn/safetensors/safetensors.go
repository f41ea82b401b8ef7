// Package safetensors reads and writes named arrays in the safetensors format: eight bytes of header length, little
// endian, a JSON header, and the elements, little endian in row-major order.
//
// The reader trusts nothing: it accepts a file only if the arrays fill the data exactly, without gap or overlap, and
// each is as long as its shape says. It allocates in proportion to the file.
package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/internal/atomicfile"
)

// maxHeader is the limit that the format's reference implementation sets.
const maxHeader = 100_000_000

// File is the contents of a file.
type File struct {
	Metadata map[string]string
	Tensors  []Tensor // in the order of their data
}

// Tensor is a named array.
type Tensor struct {
	Name  string
	DType string // "F32", "U8" and so on
	Shape []int  // empty: a single element
	Data  []byte
}

// sizes has the bytes per element of each type of the format that we know.
var sizes = map[string]int{
	"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1,
}

// Float32s returns an array of type F32.
func Float32s(name string, shape []int, x []float32) Tensor {
	t := Tensor{Name: name, DType: "F32", Shape: shape, Data: make([]byte, 4*len(x))}
	for i, v := range x {
		binary.LittleEndian.PutUint32(t.Data[4*i:], math.Float32bits(v))
	}
	return t
}

// Float32s returns the elements of an array of type F32.
func (t Tensor) Float32s() ([]float32, error) {
	if t.DType != "F32" {
		return nil, fmt.Errorf("%s: want type F32, got %s", t.Name, t.DType)
	}
	x := make([]float32, len(t.Data)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:]))
	}
	return x, nil
}

// Find returns the array of a name.
func (f *File) Find(name string) (Tensor, bool) {
	for _, t := range f.Tensors {
		if t.Name == name {
			return t, true
		}
	}
	return Tensor{}, false
}

// metadataKey is the header's one key that is no array.
const metadataKey = "__metadata__"

// entry is an array in the header. Offsets count from the end of the header.
type entry struct {
	DType   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets []int  `json:"data_offsets"`
}

// Encode returns the file's bytes. Same contents, same bytes.
func (f *File) Encode() []byte {
	var header, data bytes.Buffer
	header.WriteString("{")
	if f.Metadata != nil {
		writeField(&header, metadataKey, f.Metadata) // encoding/json sorts the keys
	}
	for _, t := range f.Tensors {
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		writeField(&header, t.Name, entry{t.DType, shape, []int{data.Len(), data.Len() + len(t.Data)}})
		data.Write(t.Data)
	}
	header.WriteString("}")
	for header.Len()%8 != 0 { // the data begin at a multiple of eight bytes
		header.WriteByte(' ')
	}
	file := binary.LittleEndian.AppendUint64(nil, uint64(header.Len()))
	file = append(file, header.Bytes()...)
	return append(file, data.Bytes()...)
}

func writeField(header *bytes.Buffer, name string, value any) {
	if header.Len() > 1 {
		header.WriteByte(',')
	}
	for i, v := range []any{name, value} {
		text, err := json.Marshal(v)
		if err != nil {
			panic("safetensors: Encode: " + err.Error()) // strings and integers always marshal
		}
		if i == 1 {
			header.WriteByte(':')
		}
		header.Write(text)
	}
}

// Decode reads a file's bytes. The arrays share data's memory.
func Decode(data []byte) (*File, error) {
	if len(data) < 8 {
		return nil, errors.New("too short for a safetensors file")
	}
	size := binary.LittleEndian.Uint64(data)
	data = data[8:]
	if size > maxHeader || size > uint64(len(data)) {
		return nil, fmt.Errorf("not a safetensors file: header of %d bytes in a file of %d", size, len(data)+8)
	}
	f, entries, err := decodeHeader(data[:size])
	if err != nil {
		return nil, fmt.Errorf("safetensors header: %w", err)
	}
	data = data[size:]
	slices.SortFunc(entries, func(a, b entryOf) int {
		if a.Offsets[0] != b.Offsets[0] {
			return a.Offsets[0] - b.Offsets[0]
		}
		if a.Offsets[1] != b.Offsets[1] { // an empty array precedes the one that begins where it does
			return a.Offsets[1] - b.Offsets[1]
		}
		return strings.Compare(a.name, b.name)
	})
	end := 0
	for _, e := range entries {
		if e.Offsets[0] != end {
			return nil, fmt.Errorf("%s: begins at byte %d, want %d: a gap or an overlap", e.name, e.Offsets[0], end)
		}
		end = e.Offsets[1]
		if end > len(data) {
			return nil, fmt.Errorf("%s: ends at byte %d of %d: the file is cut short", e.name, end, len(data))
		}
		f.Tensors = append(f.Tensors, Tensor{e.name, e.DType, e.Shape, data[e.Offsets[0]:end:end]})
	}
	if end != len(data) {
		return nil, fmt.Errorf("%d bytes beyond the last array", len(data)-end)
	}
	return f, nil
}

type entryOf struct {
	name string
	entry
}

// decodeHeader returns the metadata and the arrays, each checked by itself.
func decodeHeader(text []byte) (*File, []entryOf, error) {
	f := &File{}
	if len(text) == 0 || text[0] != '{' {
		return nil, nil, errors.New("does not begin with {")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if _, err := d.Token(); err != nil {
		return nil, nil, err
	}
	var entries []entryOf
	seen := map[string]bool{} // encoding/json would let the last of two equal names win
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		name, ok := token.(string)
		if !ok || seen[name] {
			return nil, nil, fmt.Errorf("%v occurs twice", token)
		}
		seen[name] = true
		if name == metadataKey {
			if err := d.Decode(&f.Metadata); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", name, err)
			}
			continue
		}
		e := entryOf{name: name}
		if err := d.Decode(&e.entry); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := e.check(); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		entries = append(entries, e)
	}
	if _, err := d.Token(); err != nil {
		return nil, nil, err
	}
	if rest := bytes.Trim(text[d.InputOffset():], " "); len(rest) > 0 {
		return nil, nil, errors.New("goes on after }")
	}
	return f, entries, nil
}

// check wants a known type, and offsets that agree with the shape.
func (e entry) check() error {
	size, ok := sizes[e.DType]
	if !ok {
		return fmt.Errorf("unknown type %q", e.DType)
	}
	if len(e.Offsets) != 2 || e.Offsets[0] < 0 || e.Offsets[1] < e.Offsets[0] {
		return fmt.Errorf("data offsets %v", e.Offsets)
	}
	if e.Shape == nil {
		return errors.New("no shape")
	}
	for _, extent := range e.Shape {
		if extent < 0 || extent > 0 && size > math.MaxInt/extent {
			return fmt.Errorf("shape %v", e.Shape)
		}
		size *= extent
	}
	if size != e.Offsets[1]-e.Offsets[0] {
		return fmt.Errorf("%d bytes, but shape %v of %s takes %d", e.Offsets[1]-e.Offsets[0], e.Shape, e.DType, size)
	}
	return nil
}

// Read reads a file.
func Read(path string) (*File, error) {
	return ReadAs(path, func(f *File) (*File, error) { return f, nil })
}

// ReadAs reads a file and returns what a function makes of its contents; after an error, which names the file, nil.
func ReadAs[T any](path string, from func(*File) (*T, error)) (*T, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := Decode(data)
	if err == nil {
		var out *T
		if out, err = from(f); err == nil {
			return out, nil
		}
	}
	return nil, fmt.Errorf("read %s: %w", path, err)
}

// Write writes a file: in full or, after an error, not at all. It replaces a file of that name.
func Write(path string, f *File) error {
	if err := atomicfile.Write(path, f.Encode(), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
