package scores_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/query/scores"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/volume/fuzztest"
)

func TestReadScores(t *testing.T) {
	for name, text := range map[string]string{
		"header":          "id,score\na/1,0.5\nb 2,-1e-3\n17,2\n",
		"columns swapped": "score,id\n0.5,a/1\n-1e-3,b 2\n2,17\n",
		"more columns":    "Case,ID,Note,Score\nx,a/1,\"hm, so\",0.5\nx,b 2,,-1e-3\nx,17,,2\n",
		"no header":       "a/1,0.5\nb 2,-1e-3\n17,2\n",
		"spreadsheet":     "\ufeffid,score\r\na/1,0.5\r\nb 2,-1e-3\r\n\r\n17,2\r\n",
		"marked, quoted":  "\ufeff\"id\",\"score\"\r\n\"a/1\",\"0.5\"\r\n\"b 2\",-1e-3\r\n17,2\r\n",
		"semicolons":      "\ufeff\"note\";\"id\";\"score\"\r\n\"x;y\";a/1;0.5\r\n;b 2;-1e-3\r\n;17;2\r\n",
		"tabs":            "id\tnote\tscore\na/1\t\t0.5\nb 2\tx\t-1e-3\n17\t\t2\n",
		"UTF-16":          "\xff\xfei\x00d\x00,\x00s\x00c\x00o\x00r\x00e\x00\n\x00a\x00/\x001\x00,\x000\x00.\x005\x00\n\x00b\x00 \x002\x00,\x00-\x001\x00e\x00-\x003\x00\n\x001\x007\x00,\x002\x00\n\x00",
		"note twice":      "note,id,note,score\nx,a/1,,0.5\nx,b 2,,-1e-3\nx,17,,2\n",
		"spaces":          " id , score \n a/1 , 0.5 \nb 2, -1e-3\n17,2",
		"JSON array":      `[{"id": "a/1", "score": 0.5}, {"score": -1e-3, "id": "b 2", "note": [1]}, {"id": 17, "score": 2}]`,
		"JSON object":     "\n{\"a/1\": 0.5,\n\"b 2\": -1e-3, \"17\": 2}\n",
		"JSON with BOM":   "\ufeff[{\"id\": \"a/1\", \"score\": 0.5}, {\"score\": -1e-3, \"id\": \"b 2\"}, {\"id\": 17, \"score\": 2.0}]",
	} {
		got, err := scores.Read(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Equal(got.IDs, []string{"a/1", "b 2", "17"}) || !slices.Equal(got.Values, []float64{0.5, -1e-3, 2}) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestReadScoresRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "no score"},
		{"id,score\n", "no score"},
		{"[]", "no score"},
		{"{}", "no score"},
		{"id,score\na,1\nb,NaN\n", `line 3: the score of "b" is "NaN"`},
		{"a,1\nb,inf\n", `line 2: the score of "b" is "inf"`},
		{"id,score\na,1\nb,\n", "line 3"},
		{"id,score\na,1\n\nb,x\n", "line 4"},
		{"id,score\na,1\n,2\n", "line 3: the id is empty"},
		{"id,score\na,1\nb,2\na,3\n", `line 4: the id "a" already stands on line 2`},
		{"id,score\na,1\nb\n", "line 3"},
		{"a,1\nb,2,3\n", "line 2"},
		{"name,score\na,1\n", "line 1"},
		{"a;1\nb;2\n", "line 1: want a header with the columns id and score, or two columns id,score; got 1 columns: a;1; columns are separated by commas, or under a heading by"},
		{"id;score\na;0,5\n", `line 2: the score of "a" is "0,5"`},
		{"id,score,score\na,1,2\n", "line 1: the heading has two columns score"},
		{"id,score,ID\na,1,b\n", "line 1: the heading has two columns id"},
		{"a,b,c\n1,2,3\n", "line 1"},
		{"id,score\n\"a,1\n", "line"},
		{`[{"id": "a", "score": 1},` + "\n" + `{"id": "b", "score": null}]`, `line 2: the score of "b" must be a number`},
		{`[{"id": "a", "score": 1},` + "\n" + `{"score": 1}]`, "line 2: the id must be"},
		{`[{"id": "a", "score": 1},` + "\n" + `{"id": "a", "score": 1}]`, `line 2: the id "a" already stands on line 1`},
		{"{\"a\": 1,\n\"b\": \"2\"}", `line 2: the score of "b" must be a number`},
		{"{\"a\": 1,\n\"a\": 2}", `line 2: the id "a" already`},
		{"{\"a\": 1,\n\"b\": NaN}", "line 2"},
		{"{\"a\": 1,\n\"b\": 2\n", "line 3"},
		{"[\n{\"id\": \"a\", \"score\": 1},\n\n}", "line 4"},
		{"[\n{\"id\": \"a\", \"score\": 1}\n] []", "line 3"},
		{"{\"a\": 1e999}", "line 1"},
	} {
		got, err := scores.Read(strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, error %v; want an error with %q", c.text, got, err, c.want)
		}
	}
}

func TestSelectGivenScores(t *testing.T) {
	list, err := scores.Read(strings.NewReader("a,1\nb,5\nc,3\nd,4\n"))
	if err != nil {
		t.Fatal(err)
	}
	top, err := query.ParseSelector("top")
	if err != nil {
		t.Fatal(err)
	}
	picks, err := list.Select(top, 2, random.Stream(1))
	if want := []scores.Pick{{"b", 5}, {"d", 4}}; err != nil || !slices.Equal(picks, want) {
		t.Errorf("got %v, error %v; want %v", picks, err, want)
	}
	if _, err := list.Select(query.CoreSet{}, 2, random.Stream(1)); err == nil {
		t.Error("core-set cannot pick by scores alone")
	}
}

// A million scores, read and selected by stochastic batches of the default Q.
func BenchmarkMillionScores(b *testing.B) {
	var text strings.Builder
	text.WriteString("id,score\n")
	rng := random.Stream(1)
	for i := range 1_000_000 {
		fmt.Fprintf(&text, "case%05d/%03d,%.6f\n", i/100, i%100, rng.Float64())
	}
	for b.Loop() {
		list, err := scores.Read(strings.NewReader(text.String()))
		if err != nil {
			b.Fatal(err)
		}
		picks, err := list.Select(query.StochasticBatches{}, 10, random.Stream(1))
		if err != nil || len(picks) != 10 {
			b.Fatal(len(picks), err)
		}
	}
}

func FuzzReadScores(f *testing.F) {
	f.Add("id,score\na,1\nb,2\n")
	f.Add("a,1\n\"b\n\",2e3\n")
	f.Add(`[{"id": "a", "score": 1}]`)
	f.Add(`{"a": 1, "b": -2e-3}`)
	f.Fuzz(func(t *testing.T, text string) {
		var list *scores.List
		var err error
		fuzztest.Bound(t, func() int { list, err = scores.Read(strings.NewReader(text)); return 0 })
		if err != nil {
			if list != nil {
				t.Fatal("scores beside an error")
			}
			return
		}
		if len(list.IDs) == 0 || len(list.IDs) != len(list.Values) {
			t.Fatalf("%d ids, %d values", len(list.IDs), len(list.Values))
		}
		distinct := map[string]bool{}
		for i, id := range list.IDs {
			if id == "" || distinct[id] || list.Values[i]-list.Values[i] != 0 {
				t.Fatalf("accepted item %d: %q with score %v", i, id, list.Values[i])
			}
			distinct[id] = true
		}
	})
}
