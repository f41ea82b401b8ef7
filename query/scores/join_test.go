package scores_test

import (
	"strings"
	"testing"

	"github.com/nextslice/nextslice/query/scores"
)

// Shards are joined where they are those of one query, and all of them; scores that say nothing of shards always are.
func TestJoin(t *testing.T) {
	const heading = "id,score,shard,query\n"
	one, two := heading+"a,1,1/2,x\nb,2,1/2,x\n", heading+"c,3,2/2,x\n"
	for name, c := range map[string]struct {
		files []string
		want  string // the error; "" for none
	}{
		"all":               {[]string{two, one}, ""},
		"in one file":       {[]string{heading + "a,1,1/2,x\nc,3,2/2,x\n"}, ""},
		"without":           {[]string{"a,1\nb,2\n", "c,3\n"}, ""},
		"empty cells":       {[]string{heading + "a,1,,\n", "c,3\n"}, ""},
		"shard alone":       {[]string{"id,score,shard\na,1,left\n", "c,3\n"}, ""},
		"another query":     {[]string{one, heading + "c,3,2/2,y\n"}, "f0 and f1 are of two queries"},
		"another division":  {[]string{one, heading + "c,3,2/3,x\n"}, "f0 is shard 1/2 and f1 is shard 2/3"},
		"one missing":       {[]string{two}, "scores of shard 1/2 are missing"},
		"many missing":      {[]string{heading + "a,1,2/9,x\n"}, "scores of shard 1/9, 3/9, 4/9, 5/9, 6/9, … are missing"},
		"twice":             {[]string{one, two, heading + "d,3,2/2,x\n"}, "f1 and f2 are both shard 2/2"},
		"and one that says": {[]string{one, two, "d,3\n"}, "f2 has scores that do not say"},
		"id twice":          {[]string{"a,1\n", "a,2\n"}, `f1: the id "a" stands in f0 too`},
	} {
		var files []scores.File
		for n, text := range c.files {
			list, err := scores.Read(strings.NewReader(text))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			files = append(files, scores.File{Name: "f" + string(rune('0'+n)), List: list})
		}
		list, err := scores.Join(files)
		switch {
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		case c.want == "" && (err != nil || len(list.IDs) != strings.Count(strings.Join(c.files, ""), "\n")-strings.Count(strings.Join(c.files, ""), "id,score")):
			t.Errorf("%s: %v, %v", name, list, err)
		}
	}
	for _, cells := range []string{"3/2,x", "x,x", "1/2,", ",x", "0/2,x"} {
		if _, err := scores.Read(strings.NewReader(heading + "a,1," + cells + "\n")); err == nil || !strings.Contains(err.Error(), "line 2: want a shard such as 3/10") {
			t.Errorf("%s: %v", cells, err)
		}
	}
}
