package worklist

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/train"
)

// copiesFile has the labelled slices of the work folder that count more than once in trainings, as strategies such as dutp have it.
const copiesFile = "copies.json"

// copies are names of slices, one for each copy.
type copies struct {
	Taken []string `json:"taken"` // by the queries before: this one trains on them
	New   []string `json:"new"`   // by this query, for the next one that has other labels
}

func (q *run) copies() (c copies, err error) {
	text, err := os.ReadFile(filepath.Join(q.dir, copiesFile))
	if errors.Is(err, os.ErrNotExist) {
		return c, nil
	}
	if err == nil {
		if err = json.Unmarshal(text, &c); err != nil {
			err = fmt.Errorf("%s: %w: remove it to go on without copies", copiesFile, err)
		}
	}
	return c, err
}

func (q *run) writeCopies(c copies) error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(q.dir, copiesFile), append(text, '\n'), 0o600)
}

// keepCopies makes the copies of the query before those to train on, if this is the next one; else they are forgotten.
func (q *run) keepCopies(next bool) error {
	c, err := q.copies()
	if err != nil || len(c.New) == 0 {
		return err
	}
	if next {
		c.Taken = append(c.Taken, c.New...)
	}
	c.New = nil
	return q.writeCopies(c)
}

// addCopies adds the copies of queries before to the training set that trainingSet has made, as far as their slices are still labelled.
func (q *run) addCopies(set *train.Set) error {
	if q.spec.Training.Copies == "" {
		return nil
	}
	c, err := q.copies()
	if err != nil {
		return err
	}
	at := map[string]int{}
	for i, one := range q.learnt {
		at[q.name(one)] = i
	}
	n := 0
	for _, name := range c.Taken {
		if i, labelled := at[name]; labelled {
			set.Images, set.Labels, set.Unannotated = append(set.Images, set.Images[i]), append(set.Labels, set.Labels[i]), append(set.Unannotated, set.Unannotated[i])
			n++
		}
	}
	if n > 0 {
		q.notice(fmt.Sprintf("%d copies of labelled slices that the network was unsure of are learnt along", n))
	}
	return nil
}

// copy decides which labelled slices count once more from the next query on and keeps that; picks that are not to be labelled are taken out.
func (q *run) copy(ctx context.Context, s *stream, picks *query.Selection) (names []string, err error) {
	if q.spec.Training.Copies == "" || len(picks.Items) == 0 {
		return nil, nil
	}
	u := make([]float64, len(picks.Items))
	for n, i := range picks.Items {
		u[n] = q.unsure[i]
	}
	items := make([]int, len(q.learnt))
	for i := range items {
		items[i] = i
	}
	labelled, err := s.ask(ctx, model.Candidates{
		Images: s.labelled, Progress: func(done, of int) { q.progress(Progress{Phase: "score", Done: done, Of: of}) },
	}).Score(items)
	if err != nil {
		return nil, err
	}
	keep, chosen := query.CopiesOf(q.spec, len(u), append(u, labelled...))
	for _, i := range chosen {
		names = append(names, q.name(q.learnt[i]))
	}
	kept := query.Selection{Scored: picks.Scored}
	for _, n := range keep {
		kept.Items, kept.Scores = append(kept.Items, picks.Items[n]), append(kept.Scores, picks.Scores[n])
	}
	*picks = kept
	c, err := q.copies()
	if err != nil {
		return nil, err
	}
	c.New = names
	return names, q.writeCopies(c)
}
