// Package figure draws the figures of a report: each for files (PNG and SVG by gonum/plot) and as inline SVG for the page,
// in one palette.
package figure

// Figure is a figure in no format yet: it is drawn by gonum/plot for files, and as inline SVG for the page.
type Figure struct {
	Name    string // of its files
	Title   string
	Note    string // what is drawn, for the caption
	Section string // of the page
	Minor   bool   // folded away on the page

	// One of these.
	Lines  *Lines
	Forest *Forest
	Map    *Map
}

// Lines is curves over labelled slices, in panels that share their axes.
type Lines struct {
	X, Y   string
	Zero   string // what the line at zero stands for; "" without one
	From0  bool   // the y axis begins at zero
	Equal  bool   // both axes are the same, with a line where x and y are equal
	Unit   string // of x, as in "70 labelled"
	Panels []Panel
	// Columns is how many panels stand side by side; 0 leaves it to the drawing.
	Columns int
	// Apart gives each panel axes of its own, which begin at zero where From0 says so and the panel has no line there.
	Apart bool
}

// Panel is one pair of axes.
type Panel struct {
	Title  string
	Series []Series
	Level  *Level // nil without one

	// Where panels have axes of their own, these are theirs instead of those of Lines.
	X, Y, Zero, Unit string
}

// Level is a line across a panel, at a value that curves are read by.
type Level struct {
	Name  string
	Value float64
}

// Series is one curve with the interval around it.
type Series struct {
	Name   string
	Role   int // its colour and dashes; see role
	Points []Point
	Dots   bool // points that are no curve: each with its interval, not joined
}

// Point is a point of a curve, in the units of the axes. Low and High are NaN where there is no interval.
type Point struct {
	X, Mean, Low, High float64
	N                  int // runs
}

// Forest is differences with their intervals, one per row.
type Forest struct {
	X    string // title of the axis
	Sign float64
	Rows []ForestRow
}

// ForestRow is one comparison. A row with a title only begins a block.
type ForestRow struct {
	Name            string
	Title           bool
	Role            int
	Mean, Low, High float64
	Sets            []float64
	Star            bool
}

// Map is which slices were picked how often, one panel per strategy.
type Map struct {
	Cases  []string // of the pool
	Slices int      // the largest number of a picked slice, and one
	Most   int      // the most runs that picked a slice
	Panels []MapPanel
}

// MapPanel is one strategy.
type MapPanel struct {
	Title string
	Picks []Pick
	Note  string
}

// Pick is a slice and in how many runs it was picked.
type Pick struct {
	Case  string `json:"case"`
	Slice int    `json:"slice"`
	Times int    `json:"times"`
}
