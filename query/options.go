package query

import (
	"github.com/nextslice/nextslice/internal/suggest"
	"github.com/nextslice/nextslice/uncertainty"

	"fmt"
	"slices"
	"strconv"
	"strings"
)

// options are one component of a strategy's name, such as "sb(draw=partition,q=200)": a name and its options. An [entry]
// reads these one by one with a default each; err then tells what is wrong, including options that nobody asked for.
type options struct {
	text   string // as it was written
	name   string
	values map[string]string

	known  []string // keys that were asked for
	faults []error
}

// splitName cuts "a(k=v)+b(k=v)" into one or two components.
func splitName(name string) ([]*options, error) {
	var components []*options
	for rest, more := name, true; more; {
		var text string
		// A plus sign inside parentheses would belong to a number such as 1e+2.
		end := strings.IndexByte(rest, '+')
		if open := strings.IndexByte(rest, '('); open >= 0 && open < end {
			end = strings.IndexByte(rest, ')')
			if end >= 0 {
				if next := strings.IndexByte(rest[end:], '+'); next >= 0 {
					end += next
				} else {
					end = -1
				}
			}
		}
		if end >= 0 {
			text, rest = rest[:end], rest[end+1:]
		} else {
			text, more = rest, false
		}
		o, err := readOptions(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		components = append(components, o)
	}
	if len(components) > 2 {
		return nil, fmt.Errorf("at most one + is allowed: score+selector")
	}
	return components, nil
}

func readOptions(text string) (*options, error) {
	name, list, hasOptions := strings.Cut(text, "(")
	o := &options{text: text, name: strings.TrimSpace(name), values: map[string]string{}}
	if o.name == "" {
		return nil, fmt.Errorf("a name is missing; want a strategy, a score or score+selector, as in entropy+sb")
	}
	if !hasOptions {
		return o, nil
	}
	list, closed := strings.CutSuffix(list, ")")
	if !closed {
		return nil, fmt.Errorf("the options of %s must end with )", o.name)
	}
	for item := range strings.SplitSeq(list, ",") {
		key, value, ok := strings.Cut(item, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || key == "" || value == "" {
			return nil, fmt.Errorf("option %q of %s: want key=value", item, o.name)
		}
		if _, twice := o.values[key]; twice {
			return nil, fmt.Errorf("option %s of %s is given twice", key, o.name)
		}
		o.values[key] = value
	}
	return o, nil
}

// choice returns the value of an option that is one of allowed; the first is the default.
func choice[T ~string](o *options, key string, allowed ...T) T {
	value, given := o.get(key)
	if !given {
		return allowed[0]
	}
	if !slices.Contains(allowed, T(value)) {
		var names []string
		for _, a := range allowed {
			names = append(names, string(a))
		}
		o.fault("option %s of %s is %q; want %s", key, o.name, value, strings.Join(names, ", "))
	}
	return T(value)
}

// integer returns the value of an option that is a whole number of at least lowest.
func (o *options) integer(key string, standard, lowest int) int {
	value, given := o.get(key)
	if !given {
		return standard
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < lowest {
		o.fault("option %s of %s is %q; want a whole number of at least %d", key, o.name, value, lowest)
	}
	return n
}

// number returns the value of an option that is a number above 0 and at most highest.
func (o *options) number(key string, standard, highest float64) float64 {
	value, given := o.get(key)
	if !given {
		return standard
	}
	x, err := strconv.ParseFloat(value, 64)
	if err != nil || !(x > 0 && x <= highest) {
		o.fault("option %s of %s is %q; want a number above 0 and at most %g", key, o.name, value, highest)
	}
	return x
}

// amount is number where 0 is allowed too.
func (o *options) amount(key string, standard, highest float64) float64 {
	if value, given := o.values[key]; given {
		if x, err := strconv.ParseFloat(value, 64); err == nil && x == 0 {
			o.get(key)
			return 0
		}
	}
	return o.number(key, standard, highest)
}

// The options that several scores share, as [List] shows them.
const (
	mapOptions         = "map=jsd|legacy-jsd|entropy|variance"
	aggregationOptions = "aggregation=mean|foreground|max|top" + aggregationDetails
	aggregationDetails = ", band=3 (foreground), fraction=0.1 (top)"

	standardFraction = 0.1
	standardBand     = 3
)

// passesMap returns how several passes become one map.
func (o *options) passesMap() uncertainty.Map {
	return choice(o, "map", uncertainty.JSD, uncertainty.LegacyJSD, uncertainty.EntropyMap, uncertainty.Variance)
}

// aggregated adds to a score how its map becomes one number. more are aggregations beyond the usual ones.
func (o *options) aggregated(s uncertainty.Score, more ...uncertainty.Aggregation) uncertainty.Score {
	usual := []uncertainty.Aggregation{uncertainty.ByMean, uncertainty.ByForeground, uncertainty.ByMax, uncertainty.ByTop}
	s.Aggregation = choice(o, "aggregation", append(usual, more...)...)
	switch s.Aggregation {
	case uncertainty.ByTop:
		s.Fraction = o.number("fraction", standardFraction, 1)
	case uncertainty.ByForeground:
		s.Band = o.integer("band", standardBand, 0)
	}
	return s
}

func (o *options) get(key string) (string, bool) {
	o.known = append(o.known, key)
	value, ok := o.values[key]
	return value, ok
}

func (o *options) fault(format string, args ...any) {
	o.faults = append(o.faults, fmt.Errorf(format, args...))
}

// err returns the first fault of the options that were asked for, then options that nobody asked for.
func (o *options) err() error {
	if len(o.faults) > 0 {
		return o.faults[0]
	}
	for key := range o.values {
		if slices.Contains(o.known, key) {
			continue
		}
		if len(o.known) == 0 {
			return fmt.Errorf("%s takes no options", o.name)
		}
		return fmt.Errorf("%s has no option %q here%s; it takes %s", o.name, key, didYouMean(key, o.known),
			strings.Join(o.known, ", "))
	}
	return nil
}

// option returns "key=value", or "" if value is one of the defaults.
func option(key string, value any, defaults ...any) string {
	text := fmt.Sprint(value)
	for _, d := range defaults {
		if text == fmt.Sprint(d) {
			return ""
		}
	}
	return key + "=" + text
}

// call returns name(options) without the empty options.
func call(name string, options ...string) string {
	options = slices.DeleteFunc(options, func(o string) bool { return o == "" })
	if len(options) == 0 {
		return name
	}
	return name + "(" + strings.Join(options, ",") + ")"
}

// unknown returns the error for a name that is none of the kinds, with the nearest name that is.
func unknown(name string, kinds ...Kind) error {
	var names []string
	for _, info := range List() {
		if slices.Contains(kinds, info.Kind) {
			names = append(names, info.Name)
		}
	}
	return fmt.Errorf("unknown name %q%s; known are %s", name, didYouMean(name, names), strings.Join(names, ", "))
}

// didYouMean returns `; did you mean "x"?` for the nearest of names, or "" if none is near.
func didYouMean(name string, names []string) string {
	best := suggest.Nearest(strings.ToLower(name), names, len(name)/2)
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
