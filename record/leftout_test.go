package record

import (
	"strings"
	"testing"

	"github.com/nextslice/nextslice/dataset"
)

func TestDataDiffers(t *testing.T) {
	data := func(pool string, left ...string) Data {
		d := Data{Name: "x", Classes: []string{"background", "a"}, Pool: strings.Fields(pool), Test: []string{"t"}}
		for _, id := range left {
			d.LeftOut = append(d.LeftOut, LeftOut{id, "labels/" + id + ".nii.gz: a fault"})
		}
		return d
	}
	reworded := data("a b", "c")
	reworded.LeftOut[0].Why = "another fault"
	classes := data("a b")
	classes.Classes = []string{"background", "b"}
	gaps := data("a b")
	gaps.Values = []int{5}
	others := data("a b")
	others.Values = []int{6}
	two, other := data("a b"), data("a b")
	two.Channels, other.Channels = []dataset.Channel{{Number: 0}, {Number: 1}}, []dataset.Channel{{Number: 0}, {Number: 2}}
	for name, test := range map[string]struct {
		before, now Data
		want        string // part of what is said; "" for nothing
	}{
		"the same":                        {data("a b", "c"), data("a b", "c"), ""},
		"in another order":                {data("a b", "c", "d"), data("a b", "d", "c"), ""},
		"for another reason":              {data("a b", "c"), reworded, ""},
		"one more":                        {data("a b", "c"), data("a b", "c", "d"), "now left out: d"},
		"a used one":                      {data("a b"), data("a", "b"), "now left out: b"},
		"one less":                        {data("a", "b"), data("a b"), "no longer left out: b"},
		"one less that is not used":       {data("a b", "c"), data("a b"), "no longer left out: c"},
		"another one":                     {data("a b", "c"), data("a b", "d"), "now left out: d; no longer left out: c"},
		"an old record, none of the used": {data("a b"), data("a b", "c"), ""},
		"values, not recorded before":     {data("a b"), gaps, ""},
		"other values":                    {gaps, others, "have changed"},
		"channels, not recorded before":   {data("a b"), two, ""},
		"other channels":                  {two, other, "have changed"},
		"no values":                       {gaps, data("a b"), "have changed"},
		"other classes":                   {data("a b"), classes, "cases, classes or preprocessing have changed"},
	} {
		if got := test.before.Differs(test.now); (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
