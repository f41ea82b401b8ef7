package record

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/nextslice/nextslice/train/recipe"
)

// Grid is the recipes that an experiment trains with, each with every strategy and initial set; without any there is
// one, Config.Train itself. A configuration file lists values, which gives a recipe for every combination,
//
//	grid:
//	  dropout: [0.1, 0.5]
//	  learning-rate: {peak: [1e-3, 3e-4]}
//
// or recipes by name:
//
//	grid:
//	- name: long
//	  steps: 800
//	- name: plain
//	  augment: {noise: 0, rotate: 0}
//
// Nested keys may be joined: learning-rate.peak. A run folder's configuration has the second form.
type Grid []Recipe

// Recipe is a point of the grid: what it changes in Config.Train.
type Recipe struct {
	Name string
	Set  []Setting // in the order of the file
}

// Setting is one hyper-parameter.
type Setting struct {
	Key   string // e.g. "learning-rate.peak"
	Value any    // of the type of its field in recipe.Config
}

// Set changes the hyper-parameter of t that the key names, for programs and flags: value is as in a configuration file.
func Set(t *recipe.Config, key, value string) error {
	text := "{" + key + ": " + value + "}"
	var r Recipe
	file, err := parseYAML("value", []byte(text))
	if err != nil {
		return err
	}
	c := checker{name: key}
	c.settings(file, reflect.TypeFor[recipe.Config](), "", func(s Setting) { r.Set = append(r.Set, s) })
	if len(c.faults) > 0 {
		return errors.Join(c.faults...)
	}
	*t = r.apply(*t)
	return nil
}

// Recipe returns the hyper-parameters of a recipe of the grid, or for "" those of an experiment without a grid.
func (c Config) Recipe(name string) recipe.Config {
	for _, r := range c.Grid {
		if r.Name == name {
			return r.apply(c.Train)
		}
	}
	if name != "" {
		panic("record: no recipe " + name)
	}
	return c.Train
}

// Base returns the name of the recipe that changes nothing, if there is one: "" without a grid.
func (c Config) Base() (name string, ok bool) {
	for _, r := range c.Grid {
		if len(r.Set) == 0 {
			return r.Name, true
		}
	}
	return "", len(c.Grid) == 0
}

// Recipes returns the names of the grid's recipes, "" where there is no grid.
func (c Config) Recipes() []string {
	if len(c.Grid) == 0 {
		return []string{""}
	}
	names := make([]string, len(c.Grid))
	for i, r := range c.Grid {
		names[i] = r.Name
	}
	return names
}

// apply returns t with the recipe's settings.
func (r Recipe) apply(t recipe.Config) recipe.Config {
	t.Loss.ClassWeights = slices.Clone(t.Loss.ClassWeights)
	for _, s := range r.Set {
		v := reflect.ValueOf(&t).Elem()
		for part := range strings.SplitSeq(s.Key, ".") {
			v = v.FieldByIndex(field(v.Type(), part).Index)
		}
		v.Set(reflect.ValueOf(s.Value))
	}
	return t
}

// field returns the field of a struct that a key of a configuration file names, or a zero one.
func field(t reflect.Type, key string) reflect.StructField {
	for f := range t.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name == key {
			return f
		}
	}
	return reflect.StructField{}
}

// recipeName is what the name of a recipe may consist of: it becomes part of folder names.
var recipeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+=,-]{0,99}$`)

// maxRecipes bounds a grid: more are a slip, or a search that wants another tool.
const maxRecipes = 1000

// checkGrid reports faults of the grid on top of c.Train.
func (c Config) checkGrid(fault func(format string, args ...any)) {
	folders := map[string]string{}
	for _, r := range c.Grid {
		if !recipeName.MatchString(r.Name) {
			fault("grid: recipe %q: want a name of up to 100 letters, digits and . _ + = , -", r.Name)
			continue
		}
		folder := strings.ToLower(Unit{Grid: r.Name}.Name()) // some file systems do not tell upper from lower case
		if other, ok := folders[folder]; ok && other == r.Name {
			fault("grid: recipe %s is listed twice", r.Name)
		} else if ok {
			fault("grid: recipes %s and %s would have the same folder", other, r.Name)
		}
		folders[folder] = r.Name
		if r.apply(c.Train).Precision != c.Train.Precision {
			fault("grid: %s: precision: one engine computes all recipes of an experiment: give it in train, and compare run folders", r.Name)
		}
		for _, err := range faultsOf(r.apply(c.Train).Validate()) {
			fault("grid: %s: %w", r.Name, err)
		}
	}
}

// faultsOf returns the errors that errors.Join put together.
func faultsOf(err error) []error {
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		return list.Unwrap()
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

// UnmarshalYAML reads either form.
func (g *Grid) UnmarshalYAML(n ast.Node) error {
	c := checker{}
	*g = c.grid(n)
	return errors.Join(c.faults...)
}

// MarshalYAML writes the list of recipes.
func (g Grid) MarshalYAML() (any, error) {
	list := make([]yaml.MapSlice, len(g))
	for i, r := range g {
		list[i] = yaml.MapSlice{{Key: "name", Value: r.Name}}
		for _, s := range r.Set {
			list[i] = append(list[i], yaml.MapItem{Key: s.Key, Value: s.Value})
		}
	}
	return list, nil
}

// grid reads a grid of either form and reports its faults.
func (c *checker) grid(n ast.Node) Grid {
	if list, ok := n.(*ast.SequenceNode); ok {
		return c.recipeList(list)
	}
	var axes [][]Setting // for each key, one setting per value
	c.leaves(n, reflect.TypeFor[recipe.Config](), "grid", "", func(key string, t reflect.Type, value ast.Node) {
		list, ok := value.(*ast.SequenceNode)
		if !ok || len(list.Values) == 0 {
			c.fault(value, "grid.%s: want a list of values such as [a, b], got %s", key, value)
			return
		}
		var axis []Setting
		for _, v := range list.Values {
			if s, ok := c.setting(v, t, "grid", key); ok {
				axis = append(axis, s)
			}
		}
		axes = append(axes, axis)
	})
	points := 1
	for _, axis := range axes {
		if points *= len(axis); points > maxRecipes {
			c.fault(n, "grid: more than %d recipes", maxRecipes)
			return nil
		}
	}
	switch {
	case len(c.faults) > 0:
		return nil
	case len(axes) == 0:
		c.fault(n, "grid: want hyper-parameters with lists of values, or a list of recipes")
		return nil
	}
	g := Grid{{}}
	for _, axis := range axes {
		var longer Grid
		for _, r := range g {
			for _, s := range axis {
				longer = append(longer, Recipe{strings.TrimPrefix(r.Name+","+s.Key+"="+s.text(), ","), append(slices.Clone(r.Set), s)})
			}
		}
		g = longer
	}
	return g
}

func (c *checker) recipeList(list *ast.SequenceNode) (g Grid) {
	if len(list.Values) == 0 {
		c.fault(list, "grid: want at least one recipe")
	}
	for _, n := range list.Values {
		var r Recipe
		values, ok := pairs(n)
		if !ok {
			c.fault(n, "grid: want a recipe, such as {name: long, steps: 800}, got %s", n)
			continue
		}
		for _, v := range values {
			if v.Key.String() == "name" {
				c.check(v.Value, reflect.TypeFor[string](), "grid.name")
				r.Name = v.Value.GetToken().Value
				continue
			}
			c.settings(&ast.MappingNode{Start: v.GetToken(), Values: []*ast.MappingValueNode{v}}, reflect.TypeFor[recipe.Config](), "grid",
				func(s Setting) { r.Set = append(r.Set, s) })
		}
		if r.Name == "" {
			c.fault(n, "grid: a recipe has no name")
		}
		for i, s := range r.Set {
			if slices.ContainsFunc(r.Set[:i], func(o Setting) bool { return o.Key == s.Key }) {
				c.fault(n, "grid: %s: %s is set twice", r.Name, s.Key)
			}
		}
		g = append(g, r)
	}
	return g
}

// settings calls each for every value in a mapping of hyper-parameters.
func (c *checker) settings(n ast.Node, t reflect.Type, path string, each func(Setting)) {
	c.leaves(n, t, path, "", func(key string, t reflect.Type, value ast.Node) {
		if s, ok := c.setting(value, t, path, key); ok {
			each(s)
		}
	})
}

// setting reads one value of a hyper-parameter.
func (c *checker) setting(n ast.Node, t reflect.Type, path, key string) (Setting, bool) {
	before := len(c.faults)
	if c.check(n, t, join(path, key)); len(c.faults) > before {
		return Setting{}, false
	}
	v := reflect.New(t)
	if err := yaml.Unmarshal([]byte(n.String()), v.Interface()); err != nil {
		c.fault(n, "%s: %v", join(path, key), err)
		return Setting{}, false
	}
	return Setting{key, v.Elem().Interface()}, true
}

// leaves calls each for the keys of a mapping, nested or joined by dots, that are no mappings themselves.
func (c *checker) leaves(n ast.Node, t reflect.Type, path, above string, each func(key string, t reflect.Type, value ast.Node)) {
	values, ok := pairs(n)
	if !ok {
		if above != "" {
			path = join(path, above)
		}
		c.fault(n, "%swant keys with values, got %s", prefix(path), n)
		return
	}
	for _, v := range values {
		at, key := t, above
		for part := range strings.SplitSeq(v.Key.String(), ".") {
			var known []string
			if at.Kind() == reflect.Struct {
				known = keys(at)
			}
			if !slices.Contains(known, part) {
				c.fault(v.Key, "unknown key %q%s", join(path, join(key, part)), otherKeys(part, known))
				at = nil
				break
			}
			at, key = field(at, part).Type, join(key, part)
		}
		switch {
		case at == nil:
		case at.Kind() == reflect.Struct:
			c.leaves(v.Value, at, path, key, each)
		default:
			each(key, at, v.Value)
		}
	}
}

// text formats a value for the name of a recipe.
func (s Setting) text() string {
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	switch v := s.Value.(type) {
	case float64:
		return number(v)
	case []float64:
		var list []string
		for _, x := range v {
			list = append(list, number(x))
		}
		return strings.Join(list, "+")
	}
	return fmt.Sprint(s.Value)
}
