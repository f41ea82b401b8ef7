package worklist

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/record"
)

// Config is one query.
type Config struct {
	// Experiment has the data set, its channels and axis, the preset and the training, and the seed. Of the rest nothing counts.
	Experiment record.Config

	Model    string // file of a model; "" trains one
	Strategy string // see query.Parse
	Size     int    // slices to pick; fewer where there are fewer

	Labelled []string // files that list labelled slices, see [ReadItems]
	Only     []string // patterns of cases or slices, one of which a candidate matches; none is all
	Exclude  []string // … none of which a candidate matches
	PerCase  int      // picks of one case at most; 0 is no limit
	Shard    Shard

	Work      string // folder for the model and the scores; "" is the data's folder with -query at the end of its name
	Proposals string // folder for predicted masks and uncertainty maps of the cases with picks; "" for none
	Replace   bool   // files there
}

// Trains reports whether anything is trained as Experiment.Train says: a network where no model is given, or what the strategy itself trains. Where nothing is,
// its values have no effect. It is true where the strategy cannot be read.
func (c Config) Trains() bool {
	spec, err := query.Parse(c.Strategy)
	return err != nil || c.Model == "" || spec.Score.Critic.Steps > 0 || spec.Strategy.Needs().Features == query.Latent
}

// Shard is a part of the cases: number Part, 1 … Of; the zero value is all.
type Shard struct{ Part, Of int }

// ParseShard reads "3/10"; "" is all.
func ParseShard(text string) (s Shard, err error) {
	if text == "" {
		return s, nil
	}
	part, of, _ := strings.Cut(text, "/")
	s.Part, err = strconv.Atoi(part)
	if err == nil {
		s.Of, err = strconv.Atoi(of)
	}
	if err != nil || s.Part < 1 || s.Of < s.Part {
		return s, fmt.Errorf("%q: want PART/OF, such as 3/10", text)
	}
	return s, nil
}

// holds reports whether a shard has the n-th case.
func (s Shard) holds(n int) bool { return s.Of == 0 || n%s.Of == s.Part-1 }

// Validate returns all faults of c at once, each named as on the command line, or nil.
func (c Config) Validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	check(c.Size >= 1, "--size %d: want 1 or more", c.Size)
	check(c.PerCase >= 0, "--per-case %d: want 0 or more", c.PerCase)
	for _, pattern := range append(append([]string(nil), c.Only...), c.Exclude...) {
		_, err := path.Match(pattern, "")
		check(err == nil, "pattern %q: %v", pattern, err)
	}
	spec, err := query.Parse(c.Strategy)
	if err != nil {
		return errors.Join(append(faults, err)...)
	}
	faults = append(faults, c.checkStrategy(spec))
	e := c.Experiment
	e.Strategies = []string{c.Strategy}
	if c.Model == "" {
		faults = append(faults, e.Validate())
	} else {
		check(e.Ignore >= 0 && e.Ignore <= 255, "--ignore: want a label value from 1 to 255, got %d", e.Ignore)
		e.Train.Dropout = max(e.Train.Dropout, 0.5) // the model has its own, see model.Network.Serves
		faults = append(faults, record.CheckStrategy(spec, e.Train))
	}
	return errors.Join(faults...)
}

// checkStrategy refuses strategies that the query cannot carry out.
func (c Config) checkStrategy(s query.Spec) error {
	needs := s.Strategy.Needs()
	scores := needs.Scores && needs.Features == query.NoFeatures && s.Score.Critic.Steps == 0 && s.Score.Alpha == 0
	switch {
	case needs.HiddenForeground:
		return fmt.Errorf("%s looks at masks that nobody has drawn yet: it exists in simulations only", s)
	case s.Training != (query.Training{}) && c.Model != "":
		return fmt.Errorf("%s changes the training: leave --model out, so that a network is trained", s)
	case model.IsONNX(c.Model) && model.ServesForeign(s) != nil:
		return model.ServesForeign(s)
	case c.Model != "" && s.Score.Members > 1:
		return fmt.Errorf("%s needs several networks, and --model is one: leave it out, so that they are trained", s)
	case c.Model != "" && s.Score.TrainsModule():
		return fmt.Errorf("%s needs a network that was trained with its module: leave --model out, so that it is trained", s)
	case c.Shard.Of > 0 && !scores:
		return fmt.Errorf("--shard: %s does not pick by a score of each slice alone, so that shards could not be joined", s)
	case c.Shard.Of > 0 && c.Model == "":
		return errors.New("--shard: give --model, so that all shards are scored by one network; nextslice train makes one")
	}
	return nil
}
