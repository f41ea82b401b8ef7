package querytest

import (
	"fmt"
	"slices"

	"github.com/nextslice/nextslice/query"
)

// checkNeeds compares what a strategy declares with what it uses: of a pool that offers everything, of one that offers what
// is declared and nothing else, and of one that lacks one thing that is declared.
func checkNeeds(s query.Strategy) (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	needs := s.Needs()
	if needs.LabelledFeatures && needs.Features == query.NoFeatures {
		fault("it declares features of labelled items, but not of which kind")
	}
	if needs.NonNegative && !needs.Scores {
		fault("it declares that scores are not negative, but no scores")
	}
	all := newProbe(60)
	want, err := try(s, all.pool(everything))
	if err != nil {
		fault("a pool that offers everything: %v", err)
	}
	for _, use := range []struct {
		what           string
		declared, used bool
	}{
		{"scores", needs.Scores, len(all.asked) > 0 && !all.byClass && !all.networks},
		{"class scores", needs.ClassScores, all.byClass},
		{"networks", needs.Networks, all.networks || all.probs.read},
		{"features", needs.Features != query.NoFeatures, all.features.read},
		{"features of labelled items", needs.LabelledFeatures, all.labelled.read},
	} {
		switch {
		case use.used && !use.declared:
			fault("it reads %s and does not declare them", use.what)
		case use.declared && !use.used:
			fault("it declares %s and does not read them", use.what)
		}
	}
	if got, err := try(s, newProbe(60).pool(needs)); err != nil || !slices.Equal(got, want) {
		fault("it picks %v of a pool that offers everything, and %v (%v) of one that offers what it declares", want, got, err)
	}

	var lacking [7]query.Needs // all that is declared but one thing
	for i := range lacking {
		lacking[i] = needs
	}
	lacking[0].Scores, lacking[1].Features, lacking[2].LabelledFeatures = false, query.NoFeatures, false
	lacking[3].Positions, lacking[4].HiddenForeground = false, false
	lacking[5].ClassScores, lacking[6].Networks = false, false
	for i, what := range []string{"scores", "features", "features of labelled items", "positions", "hidden foreground", "class scores", "networks"} {
		got, err := try(s, newProbe(60).pool(lacking[i]))
		if _, panics := err.(panicked); lacking[i] != needs && (err == nil || panics) {
			fault("it declares %s, and of a pool without them it picks %v (%v); want an error", what, got, err)
		}
	}
	if needs.QueryNumber {
		p := newProbe(60).pool(needs)
		p.Query, p.Queries = 0, 0 // how many there will be is unknown
		if _, err := try(s, p); err != nil {
			fault("without a known number of queries: %v", err)
		}
	}
	if needs.Scores {
		p := newProbe(60)
		p.scores[7] = -0.5
		_, err := try(s, p.pool(needs))
		asked := slices.Contains(slices.Concat(p.asked...), 7)
		if asked && needs.NonNegative != (err != nil) {
			fault("a negative score, where NonNegative is declared %v: %v", needs.NonNegative, err)
		}
	}
	return faults
}

// try selects 10 items; a panic becomes an error.
func try(s query.Strategy, p query.Pool) (items []int, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked{r}
		}
	}()
	got, err := s.Select(p, 10, stream(1))
	return got.Items, err
}

type panicked struct{ value any }

func (p panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }
