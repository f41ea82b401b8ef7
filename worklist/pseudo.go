package worklist

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/train"
)

// teacherFile is the network of the query before, the n-th from 0, whose pseudo-labels strategies such as CEAL learn from.
const teacherFile = "teacher-%04d.safetensors"

// teacher returns the file of the teacher and its number; "" and -1 where there is none.
func (q *run) teacher() (path string, number int) {
	found, _ := filepath.Glob(filepath.Join(q.dir, "teacher-*.safetensors"))
	for _, file := range slices.Backward(slices.Sorted(slices.Values(found))) {
		if n, err := fmt.Sscanf(filepath.Base(file), teacherFile, &number); n == 1 && err == nil {
			return file, number
		}
	}
	return "", -1
}

// keepTeacher makes the network of the query before the teacher, if this is the next one. It is called before what has become old is removed.
func (q *run) keepTeacher(next bool) error {
	last := filepath.Join(q.dir, modelFile)
	if _, err := os.Stat(last); !next || q.spec.Training.Pseudo.Of == "" || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	before, number := q.teacher()
	if err := atomicfile.Rename(last, filepath.Join(q.dir, fmt.Sprintf(teacherFile, number+1))); err != nil {
		return err
	}
	if before != "" {
		return os.Remove(before)
	}
	return nil
}

// isTeacher reports whether a file of the work folder stays for the next query.
func (q *run) isTeacher(file string) bool {
	path, _ := q.teacher()
	return file == path && q.spec.Training.Pseudo.Of != ""
}

// addPseudo adds the slices that the teacher is sure of to the training set, with its masks: of all that could be picked, those among them that a query before has asked for in vain,
// or of a random choice of mostSeen where there are more, for these are in memory together. Without a teacher, as in the first query of a work folder, it adds none.
func (q *run) addPseudo(ctx context.Context, set *train.Set) error {
	p := q.spec.Training.Pseudo
	if p.Of == "" {
		return nil
	}
	path, number := q.teacher()
	if path == "" {
		q.notice(fmt.Sprintf("%s has no network of a query before: this one learns from the labels alone", q.dir))
		return nil
	}
	m, err := model.Load(q.engine, path)
	if err != nil {
		return err
	}
	if len(m.Classes) != set.Classes || !reflect.DeepEqual(m.Preprocess, q.preprocess) || m.Channel != q.Experiment.Channel || !slices.Equal(m.Channels, q.set.Channels) {
		q.notice("the network of the query before had other classes, slices or channels: this one learns from the labels alone")
		return nil
	}
	n := m.Network()
	some := q.streams().stream("pseudo").Perm(len(q.candidates))
	some = some[:min(mostSeen, len(some))]
	slices.Sort(some)
	var fault error
	labelled := len(set.Images)
	s := q.loading()
	s.ask = func(ctx context.Context, c model.Candidates) query.Pool {
		masks, err := n.PseudoMasks(ctx, c.Images, p, number)
		fault = errors.Join(fault, err)
		for i, mask := range masks {
			if mask != nil {
				set.Images, set.Labels, set.Unannotated = append(set.Images, c.Images[i]), append(set.Labels, mask), append(set.Unannotated, nil)
			}
		}
		return query.Pool{}
	}
	if err := errors.Join(s.each(ctx, some, func(query.Pool, []int) error { return fault }), fault); err != nil {
		return err
	}
	if p.Mix == query.MixHalf {
		set.Pseudo = len(set.Images) - labelled
	}
	q.notice(fmt.Sprintf("%d slices are learnt along by what the network of the query before is sure of", len(set.Images)-labelled))
	return nil
}
