package worklist

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/internal/contents"
	"github.com/nextslice/nextslice/internal/null"
	"github.com/nextslice/nextslice/internal/sibling"
	"github.com/nextslice/nextslice/internal/syserr"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/train/recipe"
	"github.com/nextslice/nextslice/volume"
)

// Pick is a slice to label next.
type Pick struct {
	Rank     int        `json:"rank"` // 1 …, in the strategy's order
	ID       string     `json:"id"`   // CASE/SLICE
	Case     string     `json:"case"`
	Slice    int        `json:"slice"`           // in the case's own file, from 0
	Axis     string     `json:"axis"`            // i, j or k: along which index axis of the file slices count
	Position null.Float `json:"position_mm"`     // of the slice along its normal, see volume.Slices.Position; null where the header does not say
	Along    string     `json:"along,omitempty"` // R, A or S: the patient's axis that the normal is nearest to; the position grows to the right, to the front or to the head
	Score    null.Float `json:"score"`           // null where the strategy scores nothing
}

// Result is the answer to a query.
type Result struct {
	Strategy   string `json:"strategy"`
	Seed       uint64 `json:"seed"`
	Labelled   int    `json:"labelled"`   // slices
	Candidates int    `json:"candidates"` // slices that could be picked
	Scored     int    `json:"scored"`     // of them
	Picks      []Pick `json:"picks"`

	// Copies are the labelled slices that count once more when the next query of this work folder trains, see query.Copies.
	Copies []string `json:"copies,omitempty"`
	Scores string   `json:"-"` // file of the scores; "" where the strategy has none

	shard Shard
	query string // digest of the undivided query, of shards
}

// Progress tells how far a query is.
type Progress struct {
	Phase    string // open, load, train, score or propose
	Done, Of int
	Loss     float64 // of train
}

// Run carries out a query. What it computes stays in the work folder; see the package.
func Run(ctx context.Context, e tensor.Engine, c Config, progress func(Progress), notice func(string)) (*Result, error) {
	q, err := Open(ctx, e, c, progress, notice)
	if err != nil {
		return nil, err
	}
	return q.Run(ctx)
}

// Query is a query whose data set has been looked through: which slices are labelled, and which can be picked.
type Query struct{ run *run }

// Open looks through the data set of a query, and reads the model if it is given one. Nothing is written.
func Open(ctx context.Context, e tensor.Engine, c Config, progress func(Progress), notice func(string)) (_ *Query, err error) {
	if err := c.Validate(); err != nil {
		return nil, &record.ConfigError{Err: err}
	}
	if c.Work == "" {
		if c.Work, err = DefaultWork(c.Experiment.Data); err != nil {
			return nil, &record.ConfigError{Err: err}
		}
	}
	q := &run{Config: c, engine: e, progress: progress, notice: notice, warned: map[int]bool{}}
	if q.spec, err = query.Parse(c.Strategy); err != nil {
		return nil, err
	}
	if err := q.open(ctx); err != nil {
		return nil, err
	}
	if err := q.checkProposals(); err != nil {
		return nil, &record.ConfigError{Err: err}
	}
	if err := q.list(ctx); err != nil {
		return nil, err
	}
	if len(q.candidates) == 0 {
		return nil, fmt.Errorf("no slice is left to ask for: %d are labelled, %d are outside of --only, --exclude and --shard", len(q.known), q.outside)
	}
	return &Query{q}, nil
}

// Run carries out the query. It is called once.
func (o *Query) Run(ctx context.Context) (*Result, error) {
	q := o.run
	unlock, err := q.begin()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := q.count(); err != nil {
		return nil, err
	}
	if err := q.network(ctx); err != nil {
		return nil, err
	}
	r, err := q.pick(ctx)
	if err != nil {
		return nil, err
	}
	return r, q.propose(ctx, r)
}

// run is a query that is being carried out.
type run struct {
	Config
	spec     query.Spec
	engine   tensor.Engine
	progress func(Progress)
	notice   func(string)

	cases
	net        trained
	lists      []itemList
	known      []item // labelled slices
	candidates []item
	outside    int                                   // candidates that the patterns and the shard leave out
	seen       struct{ labels, reads, files string } // digests: of the labelled slices and their masks, of what is read of each case, of these files' sizes and times
	labels     map[item][]uint8                      // masks of the labelled slices
	dir        string
	number     int                // of the query in the work folder, see count
	placed     map[int][]place    // of cases
	warned     map[int]bool       // of cases: that voxels are NaN
	judge      *train.Critic      // of strategies that go by one, when it is trained
	coder      *train.Autoencoder // of strategies that compare items by one, when it is trained
	unsure     []float64          // of all candidates, where scores go by all of them: how unsure the networks are of each
	learnt     []item             // the labelled slices of the last trainingSet, in its order
}

// itemList is a list of labelled slices, as a file has it.
type itemList struct {
	file  string
	items []Item
}

// open opens the data set as the model has it, or as it is to be trained.
func (q *run) open(ctx context.Context) (err error) {
	q.progress(Progress{Phase: "open"})
	e := q.Experiment
	if q.set, err = dataset.OpenWith(ctx, e.Data, dataset.OpenOptions{Ignore: e.Ignore, Outputs: []string{q.Work, q.Proposals}}); err != nil {
		return err
	}
	if q.Model != "" {
		return q.openModel()
	}
	if err := q.set.Choose(e.Channel, e.Channels, e.Resample); err != nil {
		return &record.ConfigError{Err: err}
	}
	axis, err := volume.ParseAxis(e.Axis)
	if err != nil {
		return &record.ConfigError{Err: err}
	}
	q.preprocess = e.Preprocess(q.set, axis)
	if len(q.set.Classes) < 2 && q.asksNetwork() {
		return errNoLabels
	}
	err = q.spec.CheckClasses(e.Train.Loss.Kind == recipe.Sigmoid, len(q.set.Classes))
	if q.asksNetwork() {
		err = cmp.Or(err, e.Train.CheckClasses(len(q.set.Classes)))
	}
	if err != nil {
		return &record.ConfigError{Err: err}
	}
	return nil
}

// asksNetwork reports whether the strategy needs a network at all.
func (q *run) asksNetwork() bool {
	needs := q.spec.Strategy.Needs()
	if c := q.spec.Score.Critic; c.Steps > 0 && !c.Ranked && needs.Features == query.NoFeatures {
		return false // a critic sees slices alone
	}
	return needs.Scores || needs.ClassScores || needs.Networks || needs.Features != query.NoFeatures && needs.Features != query.Appearance && needs.Features != query.Latent
}

var errNoLabels = errors.New("no slice is labelled, so that there is no network to ask: choose the first ones with --strategy typiclust or strided, which need none, and label them")

// list finds the labelled slices and the candidates.
func (q *run) list(ctx context.Context) error {
	for _, problem := range q.set.Problems {
		q.notice("data: " + problem.String())
	}
	listed := map[string]bool{} // false: a reviewer has rejected its label, by one list at least
	for _, file := range q.Labelled {
		items, err := ReadItems(file)
		if err != nil {
			return err
		}
		q.lists = append(q.lists, itemList{file, items})
		for _, i := range items {
			before, again := listed[i.ID]
			listed[i.ID] = !i.Rejected && (before || !again)
		}
	}
	hash, reads, files := sha256.New(), sha256.New(), sha256.New()
	q.labels, q.placed = map[item][]uint8{}, map[int][]place{}
	number := 0        // of the cases with candidates
	rejected := 0      // listed slices
	var empty []string // listed slices without anything outlined, in cases where others that are not listed have something
	var whole []string // cases of no list whose slices count as labelled
	for index, one := range q.set.Cases {
		if err := ctx.Err(); err != nil {
			return err
		}
		q.progress(Progress{Phase: "load", Done: index + 1, Of: len(q.set.Cases)})
		places, err := q.places(index)
		if err != nil {
			return err
		}
		q.placed[index] = places
		if err := q.checkAxis(one.ID, places[0].axis); err != nil {
			return err
		}
		byList := slices.ContainsFunc(places, func(p place) bool { _, in := listed[itemName(one.ID, p.slice)]; return in })
		var masks [][]uint8
		if one.Label != "" {
			if masks, err = q.masks(index); err != nil {
				q.notice(fmt.Sprintf("data: %v (left out)", err))
				for _, p := range places {
					delete(listed, itemName(one.ID, p.slice))
				}
				continue
			}
		} else if byList {
			q.notice(fmt.Sprintf("data: %s is in a list of labelled slices and has no mask: its slices are candidates", one.ID))
		}
		if len(q.lists) > 0 && !byList && slices.ContainsFunc(masks, func(mask []uint8) bool { return mask != nil }) {
			whole = append(whole, one.ID)
		}
		begun, other := false, false // other: a slice that is not listed has something outlined
		var blank []string
		for k, p := range places {
			i, name := item{index, k}, itemName(one.ID, p.slice)
			inList, named := listed[name]
			delete(listed, name)
			if named && !inList {
				rejected++
			}
			if byList && masks != nil && masks[k] != nil {
				switch drawn := outlined(masks[k]); {
				case inList && !drawn:
					blank = append(blank, name)
				case !named && drawn:
					other = true
				}
			}
			if masks != nil && masks[k] != nil && (inList || !byList) {
				q.known = append(q.known, i)
				if q.keepsLabels() {
					q.labels[i] = masks[k]
				}
				fmt.Fprintf(hash, "%s %d ", name, len(masks[k]))
				hash.Write(masks[k])
				continue
			}
			if len(q.Only) > 0 && !matches(q.Only, one.ID, name) || matches(q.Exclude, one.ID, name) {
				q.outside++
				continue
			}
			begun = true
			if !q.Shard.holds(number) {
				q.outside++
				continue
			}
			q.candidates = append(q.candidates, i)
		}
		if begun {
			number++
		}
		if other {
			empty = append(empty, blank...)
		}
		fmt.Fprintf(reads, "%q %d %v %s\n", one.ID, len(places), one.Unannotated, q.set.Reads(index))
		images, _ := one.Files()
		for _, path := range images {
			at, err := contents.Stat(path)
			if err != nil {
				return fmt.Errorf("case %s: %w", one.ID, err)
			}
			fmt.Fprintln(files, at)
		}
	}
	if number > 0 && q.Shard.Of > number {
		return fmt.Errorf("--shard %d/%d: only %d cases have slices to ask for: divide them into %d parts at most", q.Shard.Part, q.Shard.Of, number, number)
	}
	for name := range listed {
		return fmt.Errorf("%s is in a list of labelled slices, and the data set has no such slice", name)
	}
	if rejected > 0 {
		q.notice(fmt.Sprintf("data: labels that a reviewer has rejected, by the lists: %d; they count as no labels, and their slices are candidates", rejected))
	}
	if len(whole) > 0 {
		q.notice(fmt.Sprintf("data: cases with masks that are in no list: %d (%s): they count as labelled throughout", len(whole), some(whole, 3)))
	}
	if len(empty) > 0 {
		q.notice(fmt.Sprintf("data: nothing is outlined on %d listed slices (%s), though slices of the same cases that are not listed have something: where that is not so in the patient, "+
			"lists and masks do not speak of the same slices; they count from 0 along the column axis", len(empty), some(empty, 3)))
	}
	q.seen.labels, q.seen.reads, q.seen.files = hex.EncodeToString(hash.Sum(nil)), hex.EncodeToString(reads.Sum(nil)), hex.EncodeToString(files.Sum(nil))
	return nil
}

// some names the first n of a list.
func some(names []string, n int) string {
	if len(names) > n {
		return strings.Join(names[:n], ", ") + " …"
	}
	return strings.Join(names, ", ")
}

// keepsLabels reports whether the masks of the labelled slices are needed.
func (q *run) keepsLabels() bool {
	return q.Model == "" && q.asksNetwork() || q.spec.Score.ClassWeights || q.spec.Strategy.Needs().LabelledFeatures
}

const (
	lockFile   = ".lock"
	stateFile  = "query.json"
	scoresFile = "scores.csv"
	modelFile  = "model.safetensors"
)

// DefaultWork returns the work folder that belongs to a data folder, however that is spelled; see sibling.Path.
func DefaultWork(data string) (string, error) { return sibling.Path(data, "-query", "--work") }

// folder returns the work folder, of a shard its own within that of the whole. Open has made sure that there is one.
func (c Config) folder() string {
	if c.Shard.Of > 0 {
		return filepath.Join(c.Work, fmt.Sprintf("shard-%d-of-%d", c.Shard.Part, c.Shard.Of))
	}
	return c.Work
}

// begin opens the work folder. What queries have left there goes where it is of another query, or of this one with other labels: by the names that queries
// give, and nothing else. A query with --model trains nothing, and leaves the networks there, of which the model can be one.
func (q *run) begin() (unlock func(), err error) {
	q.dir = q.folder()
	if entries, err := os.ReadDir(q.dir); err == nil {
		entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return e.Name() == lockFile || atomicfile.IsTemporary(e.Name()) }) // run folders have a lock too
		if _, err := os.Stat(filepath.Join(q.dir, stateFile)); len(entries) > 0 && errors.Is(err, os.ErrNotExist) && !slices.ContainsFunc(entries, isPart) {
			return nil, fmt.Errorf("%s is not empty and holds no query: choose another folder with --work", q.dir)
		}
	}
	if err := q.checkInputs(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(q.dir, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(q.dir, lockFile), flock.SetPermissions(0o600))
	switch locked, err := lock.TryLock(); {
	case err != nil && syserr.NoLocks(err):
		q.notice(fmt.Sprintf("the file system of %s has no locks (%v): no other nextslice should work in this folder at the same time", q.dir, err))
	case err != nil:
		return nil, err
	case !locked:
		return nil, fmt.Errorf("%s is in use by another nextslice: wait for it, or choose another folder with --work", q.dir)
	}
	defer func() {
		if err != nil {
			lock.Close()
		}
	}()
	state, err := q.state()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(q.dir, stateFile)
	if there, err := os.ReadFile(path); err != nil || string(there) != state {
		if err := q.handOver(there, state); err != nil {
			return nil, err
		}
		entries, err := os.ReadDir(q.dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			file := filepath.Join(q.dir, e.Name())
			network := q.Model == "" && networks.MatchString(e.Name()) && !q.isTeacher(file)
			if !network && !slices.Contains(computed, e.Name()) {
				continue
			}
			if err := os.Remove(file); err != nil {
				return nil, err
			}
		}
		if err := atomicfile.Write(path, []byte(state), 0o600); err != nil {
			return nil, err
		}
	}
	return func() { lock.Close() }, nil
}

// handOver begins a query in place of the one with another state. Where labels have come since, what the one before leaves to the next is there for this one: its network as a teacher, and
// its copies. Another query of the same labels takes the place of the one before, whatever else it asks for, so that the same labels give the same picks.
func (q *run) handOver(before []byte, now string) error {
	type labels struct{ Labels string }
	var old, own labels
	if err := json.Unmarshal([]byte(now), &own); err != nil {
		return err
	}
	err := json.Unmarshal(before, &old) // a state that cannot be read is of no query
	next := err == nil && old != own
	return errors.Join(q.keepTeacher(next), q.keepCopies(next))
}

// isPart reports whether an entry of a work folder is that of a part of the query.
func isPart(e os.DirEntry) bool {
	ok, _ := filepath.Match("shard-*-of-*", e.Name())
	return ok
}

// state is all that the model and the scores depend on, but for the engine; the training only where there is one: with another state a new query begins. Images count with all of their files,
// whose bytes are not read but whose sizes and times are looked at; masks of labelled slices count with what they hold.
func (q *run) state() (string, error) {
	digest := ""
	if q.Model != "" {
		hash := sha256.New()
		for n, file := range model.Files(q.Model) {
			text, err := os.ReadFile(file)
			if errors.Is(err, os.ErrNotExist) && n > 0 {
				continue
			}
			if err != nil {
				return "", err
			}
			hash.Write(text)
		}
		digest = hex.EncodeToString(hash.Sum(nil))
	}
	e := q.Experiment
	if !q.Trains() {
		e.Train = recipe.Config{}
	}
	text, err := json.MarshalIndent(map[string]any{
		"model": digest, "strategy": q.spec.String(), "size": q.Size, "only": q.Only, "exclude": q.Exclude, "seed": e.Seed,
		"labels": q.seen.labels, "classes": q.set.Classes, "candidates": len(q.candidates), "preprocess": q.preprocess, "train": e.Train, "shard": q.Shard,
		"channel": e.Channel, "channels": q.set.Channels, "resample": e.Resample, "reads": q.seen.reads, "files": q.seen.files,
	}, "", "  ")
	return string(text) + "\n", err
}

// pick lets the strategy select.
func (q *run) pick(ctx context.Context) (_ *Result, err error) {
	r := &Result{Strategy: q.spec.String(), Seed: q.Experiment.Seed, Labelled: len(q.known), Candidates: len(q.candidates)}
	s := &stream{
		spec: q.spec, streams: q.streams(), number: q.number, items: q.candidates, names: q.name, progress: func(done, of int) { q.progress(Progress{Phase: "score", Done: done, Of: of}) },
		dir: q.dir,
	}
	s.ask = q.net.pool(plain(q.spec), q.critic, q.latent)
	s.images = q.read
	if needs := q.spec.Strategy.Needs(); needs.Scores || needs.ClassScores {
		r.Scores = filepath.Join(q.dir, scoresFile)
		path := r.Scores
		if q.spec.Score.Alpha > 0 {
			path = filepath.Join(q.dir, termsFile)
		}
		store, err := openScores(path, q.name)
		if err != nil {
			return nil, err
		}
		defer store.close()
		if err := q.takeParts(store); err != nil {
			return nil, err
		}
		s.store = store
	}
	if needs := q.spec.Strategy.Needs(); needs.LabelledFeatures || q.spec.Score.ClassWeights || q.spec.Score.Alpha > 0 {
		set, err := q.trainingSet(ctx)
		if err != nil && !errors.Is(err, errNoLabels) {
			return nil, err
		}
		s.labelled, s.masks = set.Images, set.Labels
	}
	pool := q.watched(s.pool(ctx))
	if q.spec.Score.Alpha > 0 {
		pool.Score = q.diminishing(ctx, s)
	}
	if q.Shard.Of > 0 { // all of it is scored; nextslice select picks
		all := make([]int, len(q.candidates))
		for i := range all {
			all[i] = i
		}
		if _, err := pool.Score(all); err != nil {
			return nil, err
		}
		r.Scored, r.shard = len(all), q.Shard
		var state map[string]any
		if state, err = readUndivided(q.dir); err == nil {
			r.query, err = digest(state)
		}
		return r, err
	}
	picks, err := q.selectFrom(pool)
	if err != nil {
		return nil, err
	}
	r.Scored = picks.Scored
	if r.Copies, err = q.copy(ctx, s, &picks); err != nil {
		return nil, err
	}
	for n, i := range picks.Items {
		where := q.placed[q.candidates[i].index][q.candidates[i].slice]
		r.Picks = append(r.Picks, Pick{
			Rank: n + 1, ID: q.name(q.candidates[i]), Case: q.set.Cases[q.candidates[i].index].ID, Slice: where.slice, Axis: volume.AxisName(where.axis),
			Position: null.Float(where.position), Along: where.along, Score: null.Float(picks.Scores[n]),
		})
	}
	return r, nil
}

// read returns some slices of a case for the network. It warns of NaN, once for each case.
func (q *run) read(index int, wanted []int) ([][]float32, error) {
	images, bad, err := q.images(index, wanted)
	if bad > 0 && !q.warned[index] {
		q.warned[index] = true
		q.notice(fmt.Sprintf("data: %s: %d voxels are NaN or infinite: %s", q.set.Cases[index].ID, bad, q.preprocess.NonFiniteText()))
	}
	if err != nil {
		err = fmt.Errorf("%w; leave the case out with --exclude %q", err, q.set.Cases[index].ID)
	}
	return images, err
}

// name names an item as its case's file has it.
func (q *run) name(i item) string {
	return itemName(q.set.Cases[i.index].ID, q.placed[i.index][i.slice].slice)
}
