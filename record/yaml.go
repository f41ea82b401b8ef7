package record

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/nextslice/nextslice/dataset"

	"github.com/nextslice/nextslice/internal/suggest"
)

// decode reads YAML over the values that are in into, a pointer to a struct: what the file does not say stays. All
// faults are reported at once, each as name:line:column. Unknown keys are faults, and so are duplicate ones, and
// numbers that their field cannot hold: a library that cuts 1.5 down to 1 would train another network than asked for.
// So are numbers that YAML reads as others than people do, such as 010, and texts that it takes for numbers: case 007
// would be case 7.
func decode(name string, data []byte, into any) error {
	body, err := parseYAML(name, data)
	if err != nil || body == nil {
		return err // decoding an empty document would set all of into to zero
	}
	c := checker{name: name}
	c.check(body, reflect.TypeOf(into).Elem(), "")
	if len(c.faults) > 0 {
		return errors.Join(c.faults...)
	}
	if err := yaml.UnmarshalWithOptions(data, into, yaml.Strict()); err != nil {
		return yamlError(name, err)
	}
	return nil
}

// parseYAML returns the one document of a file, nil if it is empty.
func parseYAML(name string, data []byte) (ast.Node, error) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, yamlError(name, err)
	}
	if len(file.Docs) > 1 {
		return nil, fmt.Errorf("%s: want one YAML document, got %d", name, len(file.Docs))
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil || file.Docs[0].Body.Type() == ast.CommentType {
		return nil, nil
	}
	return file.Docs[0].Body, nil
}

func yamlError(name string, err error) error {
	if y, ok := errors.AsType[yaml.Error](err); ok {
		return at(name, y.GetToken(), y.GetMessage())
	}
	return fmt.Errorf("%s: %w", name, err)
}

func at(name string, t *token.Token, message string) error {
	if t == nil || t.Position == nil {
		return fmt.Errorf("%s: %s", name, message)
	}
	return fmt.Errorf("%s:%d:%d: %s", name, t.Position.Line, t.Position.Column, message)
}

// checker compares a YAML tree with the Go type that it is to be decoded into.
type checker struct {
	name   string
	faults []error
}

func (c *checker) fault(n ast.Node, format string, args ...any) {
	c.faults = append(c.faults, at(c.name, n.GetToken(), fmt.Sprintf(format, args...)))
}

// check compares one node; path is the key it is under, for messages.
func (c *checker) check(n ast.Node, t reflect.Type, path string) {
	want := func(ok bool, what string) {
		if !ok {
			c.fault(n, "%swant %s, got %s", prefix(path), what, cmp.Or(n.String(), "nothing"))
		}
	}
	switch n.Type() {
	case ast.AnchorType:
		c.check(n.(*ast.AnchorNode).Value, t, path)
		return
	case ast.AliasType:
		return // its anchor was checked where it stands
	}
	if t == reflect.TypeFor[Grid]() {
		c.grid(n)
		return
	}
	if _, list := n.(*ast.SequenceNode); !list && t == reflect.TypeFor[dataset.Selection]() {
		want(n.Type() == ast.StringType || n.Type() == ast.IntegerType, "all, or a list of channels such as [0, 1]")
		c.asWritten(n, path, true, true)
		return
	}
	if t == reflect.TypeFor[dataset.Selection]() {
		for _, v := range n.(*ast.SequenceNode).Values {
			if v.Type() != ast.StringType && v.Type() != ast.IntegerType {
				c.fault(v, "%swant numbers or names, got %s", prefix(path), v)
			}
			c.asWritten(v, path, true, true)
		}
		return
	}
	switch t.Kind() {
	case reflect.Pointer:
		c.check(n, t.Elem(), path)
	case reflect.Struct:
		c.mapping(n, t, path)
	case reflect.Map:
		if values, ok := pairs(n); ok {
			for _, v := range values {
				c.check(v.Value, t.Elem(), join(path, v.Key.String()))
			}
			return
		}
		want(false, "keys with values")
	case reflect.Slice, reflect.Array:
		list, ok := n.(*ast.SequenceNode)
		if !ok {
			want(false, "a list such as [a, b]")
			return
		}
		if t.Kind() == reflect.Array {
			want(len(list.Values) == t.Len(), fmt.Sprintf("a list of %d", t.Len()))
		}
		for _, v := range list.Values {
			c.check(v, t.Elem(), path)
		}
	case reflect.Bool:
		want(n.Type() == ast.BoolType, "true or false")
	case reflect.Int:
		want(n.Type() == ast.IntegerType, "a whole number")
		c.asWritten(n, path, true, false)
	case reflect.Uint64:
		want(n.Type() == ast.IntegerType && !strings.HasPrefix(n.String(), "-"), "a whole number, 0 or more")
		c.asWritten(n, path, true, false)
	case reflect.Float64:
		// By its text: the parser takes 1e-6, which has no point, for a string.
		v, err := strconv.ParseFloat(n.String(), 64)
		want(err == nil && !math.IsNaN(v) && !math.IsInf(v, 0), "a number")
		if text := n.String(); err == nil && !math.IsNaN(v) && !math.IsInf(v, 0) && !decimal.MatchString(text) {
			c.fault(n, "%swant a number without leading zeros and plus, got %s: write %s", prefix(path), text, plain(text))
		}
	case reflect.String:
		want(n.Type() == ast.StringType || n.Type() == ast.LiteralType || n.Type() == ast.IntegerType, "a text")
		c.asWritten(n, path, false, true)
	}
}

// decimal matches a number as a person reads it: no leading zeros, no plus, no underscores, no other base.
var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][+-]?[0-9]+)?$`)

// asWritten reports a whole number whose text is not the number itself in decimal form, such as 010, which YAML takes for 8, 0x10 and 1_000,
// where a number or a text, such as a case ID, may stand, or either.
func (c *checker) asWritten(n ast.Node, path string, number, text bool) {
	whole, ok := n.(*ast.IntegerNode)
	written := n.GetToken().Value
	if !ok || fmt.Sprint(whole.Value) == written {
		return
	}
	instead := fmt.Sprintf("write '%s' in quotes", written)
	switch {
	case number && text:
		instead = fmt.Sprintf("write %s, or '%s' in quotes for a name", plain(written), written)
	case number:
		instead = "write " + plain(written)
	}
	c.fault(n, "%s%s is read as the number %v: %s", prefix(path), written, whole.Value, instead)
}

// plain returns the decimal form of a number as it was written: 010 is 10, 0x10 is 16, +1_000 is 1000.
func plain(written string) string {
	sign := ""
	digits := strings.ReplaceAll(strings.TrimPrefix(written, "+"), "_", "")
	if rest, negative := strings.CutPrefix(digits, "-"); negative {
		sign, digits = "-", rest
	}
	if v, err := strconv.ParseUint(digits, 0, 64); err == nil && strings.ContainsAny(digits, "xob") {
		digits = strconv.FormatUint(v, 10)
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return "0"
	}
	if digits[0] < '0' || digits[0] > '9' { // a point, or an exponent
		digits = "0" + digits
	}
	return sign + digits
}

// mapping compares the keys of a mapping with the fields of a struct.
func (c *checker) mapping(n ast.Node, t reflect.Type, path string) {
	values, ok := pairs(n)
	if !ok {
		c.fault(n, "%swant keys with values, got %s", prefix(path), cmp.Or(n.String(), "nothing"))
		return
	}
	known := keys(t)
	for _, v := range values {
		key := v.Key.String()
		if key == "<<" {
			continue
		}
		if !slices.Contains(known, key) {
			c.fault(v.Key, "unknown key %q%s", join(path, key), otherKeys(key, known))
			continue
		}
		c.check(v.Value, field(t, key).Type, join(path, key))
	}
}

// keys returns those of a struct in a file.
func keys(t reflect.Type) (names []string) {
	for f := range t.Fields() {
		if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key != "" && key != "-" {
			names = append(names, key)
		}
	}
	return names
}

// pairs returns the keys and values of a mapping; the parser gives a mapping of one key a type of its own.
func pairs(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

func prefix(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// otherKeys returns the known key nearest to a wrong one, or all of them where none is near.
func otherKeys(wrong string, known []string) string {
	best := suggest.Nearest(wrong, known, 2)
	if best == "" {
		return "; there are " + strings.Join(known, ", ")
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
