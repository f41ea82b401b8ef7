package query

import (
	"github.com/nextslice/nextslice/uncertainty"

	"fmt"
	"slices"
	"strconv"
	"strings"
)

// part is one part of a strategy's name, such as "sb(draw=partition,q=200)". An [entry] reads its options one by one with
// a default each; err then tells what is wrong, including options that nobody asked for.
type part struct {
	name   string
	values map[string]string

	known  []string // keys that were asked for
	faults []error
}

// splitName cuts "a(k=v)+b(k=v)" into one or two parts.
func splitName(name string) ([]*part, error) {
	var parts []*part
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
		p, err := readPart(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	if len(parts) > 2 {
		return nil, fmt.Errorf("at most one + is allowed: score+selector")
	}
	return parts, nil
}

func readPart(text string) (*part, error) {
	name, list, hasOptions := strings.Cut(text, "(")
	p := &part{name: strings.TrimSpace(name), values: map[string]string{}}
	if p.name == "" {
		return nil, fmt.Errorf("a name is missing; want a strategy, a score or score+selector, as in entropy+sb")
	}
	if !hasOptions {
		return p, nil
	}
	list, closed := strings.CutSuffix(list, ")")
	if !closed {
		return nil, fmt.Errorf("the options of %s must end with )", p.name)
	}
	for item := range strings.SplitSeq(list, ",") {
		key, value, ok := strings.Cut(item, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || key == "" || value == "" {
			return nil, fmt.Errorf("option %q of %s: want key=value", item, p.name)
		}
		if _, twice := p.values[key]; twice {
			return nil, fmt.Errorf("option %s of %s is given twice", key, p.name)
		}
		p.values[key] = value
	}
	return p, nil
}

// choice returns the value of an option that is one of allowed; the first is the default.
func choice[T ~string](p *part, key string, allowed ...T) T {
	value, given := p.get(key)
	if !given {
		return allowed[0]
	}
	if !slices.Contains(allowed, T(value)) {
		var names []string
		for _, a := range allowed {
			names = append(names, string(a))
		}
		p.fault("option %s of %s is %q; want %s", key, p.name, value, strings.Join(names, ", "))
	}
	return T(value)
}

// integer returns the value of an option that is a whole number of at least lowest.
func (p *part) integer(key string, standard, lowest int) int {
	value, given := p.get(key)
	if !given {
		return standard
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < lowest {
		p.fault("option %s of %s is %q; want a whole number of at least %d", key, p.name, value, lowest)
	}
	return n
}

// number returns the value of an option that is a number above 0 and at most highest.
func (p *part) number(key string, standard, highest float64) float64 {
	value, given := p.get(key)
	if !given {
		return standard
	}
	x, err := strconv.ParseFloat(value, 64)
	if err != nil || !(x > 0 && x <= highest) {
		p.fault("option %s of %s is %q; want a number above 0 and at most %g", key, p.name, value, highest)
	}
	return x
}

// The options that several scores share, as [List] shows them.
const (
	maps             = "map=jsd|legacy-jsd|entropy|variance"
	aggregation      = "aggregation=mean|foreground|max|top" + aggregationParts
	aggregationParts = ", band=3 (foreground), fraction=0.1 (top)"

	standardFraction = 0.1
	standardBand     = 3
)

// passesMap returns how several passes become one map.
func (p *part) passesMap() uncertainty.Map {
	return choice(p, "map", uncertainty.JSD, uncertainty.LegacyJSD, uncertainty.EntropyMap, uncertainty.Variance)
}

// aggregated adds to a score how its map becomes one number. more are aggregations beyond the usual ones.
func (p *part) aggregated(s uncertainty.Score, more ...uncertainty.Aggregation) uncertainty.Score {
	usual := []uncertainty.Aggregation{uncertainty.ByMean, uncertainty.ByForeground, uncertainty.ByMax, uncertainty.ByTop}
	s.Aggregation = choice(p, "aggregation", append(usual, more...)...)
	switch s.Aggregation {
	case uncertainty.ByTop:
		s.Fraction = p.number("fraction", standardFraction, 1)
	case uncertainty.ByForeground:
		s.Band = p.integer("band", standardBand, 0)
	}
	return s
}

func (p *part) get(key string) (string, bool) {
	p.known = append(p.known, key)
	value, ok := p.values[key]
	return value, ok
}

func (p *part) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf(format, args...))
}

// err returns the first fault of the options that were asked for, then options that nobody asked for.
func (p *part) err() error {
	if len(p.faults) > 0 {
		return p.faults[0]
	}
	for key := range p.values {
		if slices.Contains(p.known, key) {
			continue
		}
		if len(p.known) == 0 {
			return fmt.Errorf("%s takes no options", p.name)
		}
		return fmt.Errorf("%s has no option %q here%s; it takes %s", p.name, key, didYouMean(key, p.known),
			strings.Join(p.known, ", "))
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
	best, nearest := "", len(name)/2+1
	for _, candidate := range names {
		if d := editDistance(strings.ToLower(name), candidate); d < nearest {
			best, nearest = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// editDistance returns the least number of inserted, deleted and replaced bytes between a and b (Levenshtein).
func editDistance(a, b string) int {
	row := upTo(len(b) + 1) // distances from the first i bytes of a to the first j bytes of b
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
