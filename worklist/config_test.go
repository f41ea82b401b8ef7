package worklist

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/volume"
)

// --only, --exclude and --per-case.
func TestWhichCases(t *testing.T) {
	dir, _ := partly(t, 6, 1)
	c := small(t, dir, "entropy", 8)
	c.Only = []string{"phantom_00[2-4]"}
	c.Exclude = []string{"phantom_003", "phantom_004/00?"}
	for _, p := range ask(t, c).Picks {
		if p.Case != "phantom_002" && !(p.Case == "phantom_004" && p.Slice >= 10) {
			t.Errorf("%s is picked", p.ID)
		}
	}
	c.Only, c.Exclude = nil, nil
	free := ask(t, c)
	for _, strategy := range []string{"entropy", "entropy+sb", "clasp", "core-set", "batchbald(passes=2,samples=8)", "typiclust", "random"} {
		c := small(t, dir, strategy, 8)
		c.PerCase = 2
		r := ask(t, c)
		count := map[string]int{}
		for _, p := range r.Picks {
			count[p.Case]++
		}
		if len(r.Picks) != 8 || len(count) < 4 {
			t.Errorf("%s: picks %v", strategy, ids(r))
		}
		for id, n := range count {
			if n > 2 {
				t.Errorf("%s: %d picks of %s", strategy, n, id)
			}
		}
		if strategy == "entropy" && r.Picks[0].ID != free.Picks[0].ID {
			t.Errorf("the first pick is %s, without a limit %s", r.Picks[0].ID, free.Picks[0].ID)
		}
	}
	c.PerCase = 1
	if r := ask(t, c); len(r.Picks) != 5 {
		t.Errorf("one of each of 5 cases: %v", ids(r))
	}
}

func TestRefused(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"random-hidden-foreground": func(c *Config) { c.Strategy = "random-hidden-foreground" },
		"--size":                   func(c *Config) { c.Size = 0 },
		"--per-case":               func(c *Config) { c.PerCase = -1 },
		"changes the training":     func(c *Config) { c.Strategy, c.Model = "ceal+sb", "m.safetensors" },
		"changes the":              func(c *Config) { c.Strategy, c.Model = "dutp+sb", "m.safetensors" },
		"needs several":            func(c *Config) { c.Strategy, c.Model = "dutp(copies=none)", "m.safetensors" },
		"joined":                   func(c *Config) { c.Strategy, c.Shard = "dutp(copies=none)", Shard{1, 2} },
		"several networks":         func(c *Config) { c.Strategy, c.Model = "ensemble", "m.safetensors" },
		"takes no negative":        func(c *Config) { c.Strategy, c.Model = "vaal+power", "m.safetensors" },
		"module":                   func(c *Config) { c.Strategy, c.Model = "learning-loss", "m.safetensors" },
		"shards could not":         func(c *Config) { c.Strategy, c.Model, c.Shard = "core-set", "m.safetensors", Shard{1, 2} },
		"give --model":             func(c *Config) { c.Shard = Shard{1, 2} },
		"did you mean":             func(c *Config) { c.Strategy = "entrpy" },
		"--ignore: want a label":   func(c *Config) { c.Model, c.Experiment.Ignore = "m.safetensors", dataset.Learn },
		"ignore: want a label":     func(c *Config) { c.Experiment.Ignore = 300 },
		"syntax error":             func(c *Config) { c.Only = []string{"["} },
	} {
		c := small(t, "nowhere", "entropy", 3)
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want %q, got %v", name, err)
		}
	}
	for text, want := range map[string]Shard{"": {}, "3/10": {3, 10}, "1/1": {1, 1}} {
		if got, err := ParseShard(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"0/3", "4/3", "x/3", "3", "3/", "-1/3"} {
		if got, err := ParseShard(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestReadItems(t *testing.T) {
	file := filepath.Join(t.TempDir(), "list.csv")
	for text, want := range map[string][]string{
		"a/3\nb c/012\n":                              {"a/003", "b c/012"},
		"a,3\nb,12\n":                                 {"a/003", "b/012"},
		"id,score\na/b/7,0.5\n":                       {"a/b/007"},
		"\ufeffrank,case,slice\n1,\"a,b\",9\n":        {"a,b/009"},
		"\ufeff\"case\",\"slice\"\r\n\"a\",\"3\"\r\n": {"a/003"},
		"case;slice;note\r\na,b;3;x;y\r\n":            {"a,b/003"},
		"Case\tSlice\na b\t3\n":                       {"a b/003"},
		"a;b/3\n":                                     {"a;b/003"},
	} {
		must(t, os.WriteFile(file, []byte(text), 0o666))
		items, err := ReadItems(file)
		var got []string
		for _, i := range items {
			got = append(got, i.ID)
			if i.Axis != volume.AutoAxis {
				t.Errorf("%q: axis %d", text, i.Axis)
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	must(t, os.WriteFile(file, []byte("id,axis\na/1,i\na/2, K\na/3,\n"), 0o666))
	if got, err := ReadItems(file); err != nil || !slices.Equal(got, []Item{{"a/001", 0, false}, {"a/002", 2, false}, {"a/003", volume.AutoAxis, false}}) {
		t.Errorf("axes: %v, %v", got, err)
	}
	must(t, os.WriteFile(file, []byte("case,slice,review,note\na,1,rejected,x\na,2,returned,\na,3,,\n"), 0o666))
	if got, err := ReadItems(file); err != nil || !slices.Equal(got, []Item{{"a/001", volume.AutoAxis, true}, {"a/002", volume.AutoAxis, false}, {"a/003", volume.AutoAxis, false}}) {
		t.Errorf("reviews: %v, %v", got, err)
	}
	for _, text := range []string{"id,axis\na/1,axial\n", "id,axis\na/1,auto\n", "a\n", "a/x\n", "/3\n", "id\na/-1\n", "case,slice\na\n", "id,id\na/1,b/1\n", "a;3\n", "case,slice,Case\na,1,b\n"} {
		must(t, os.WriteFile(file, []byte(text), 0o666))
		if got, err := ReadItems(file); err == nil || !strings.Contains(err.Error(), "line") {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "\n", "\ufeff", "case,slice\n", "id\r\n\r\n"} {
		must(t, os.WriteFile(file, []byte(text), 0o666))
		if got, err := ReadItems(file); err == nil || !strings.Contains(err.Error(), "list.csv names no slice") {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
