package report

import (
	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/stats"
)

// measure says how a measure is called and printed.
type measure struct {
	name      string // as in records
	short     string // in tables, as in the paper
	long      string // in figures and sentences
	direction stats.Direction
	scale     float64 // of printed values: Dice is printed in percent, as in the paper
	digits    int
}

// measures in the order of the paper's table; the first is the one that everything is first compared on.
var measures = []measure{
	{metrics.NameDice3D, "3D DSC", "3D Dice", stats.HigherIsBetter, 100, 1},
	{metrics.NameDice2D, "2D DSC", "2D Dice", stats.HigherIsBetter, 100, 1},
	{metrics.NameHD95, "3D HD95", "3D HD95", stats.LowerIsBetter, 1, 1},
	{metrics.NameASSD, "ASSD", "average surface distance", stats.LowerIsBetter, 1, 2},
}

func measureOf(name string) measure {
	for _, m := range measures {
		if m.name == name {
			return m
		}
	}
	panic("report: no measure " + name)
}

// unit is what printed values are in; distance is the unit of distances.
func (m measure) unit(distance string) string {
	if m.scale == 100 {
		return "%"
	}
	return distance
}

// pointsUnit is what printed differences are in: the difference of two percentages is in percentage points.
func (m measure) pointsUnit(distance string) string {
	if m.scale == 100 {
		return "points"
	}
	return distance
}

// betterWord says which values are the better ones.
func (m measure) betterWord() string {
	if m.direction == stats.HigherIsBetter {
		return "higher is better"
	}
	return "lower is better"
}

// better returns the sign of a difference that is an improvement, +1 or -1.
func (m measure) better() float64 {
	if m.direction == stats.HigherIsBetter {
		return 1
	}
	return -1
}
