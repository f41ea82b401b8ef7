package worklist

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
)

// takeParts takes over what the parts of this query (see Config.Shard) have scored in the same work folder, so that it need not be scored again. Parts of
// another query, with other labels or another model, count for nothing.
func (q *run) takeParts(store *scoreFile) error {
	if q.Shard.Of > 0 {
		return nil
	}
	own, err := readUndivided(q.dir)
	if err != nil {
		return err
	}
	parts, err := filepath.Glob(filepath.Join(q.dir, "shard-*-of-*"))
	if err != nil {
		return err
	}
	rows := map[string][]float64{}
	for _, part := range parts {
		state, err := readUndivided(part)
		if err != nil || !reflect.DeepEqual(state, own) {
			continue
		}
		file, err := os.Open(filepath.Join(part, scoresFile))
		if err != nil {
			continue // it has scored nothing yet
		}
		some := &scoreFile{file: file, rows: rows}
		_, err = some.read()
		file.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", file.Name(), err)
		}
	}
	taken := 0
	for n := 0; n < len(q.candidates); {
		var items []item
		var values [][]float64
		index := q.candidates[n].index
		for ; n < len(q.candidates) && q.candidates[n].index == index; n++ {
			id := q.name(q.candidates[n])
			_, known := store.row(id)
			if row, ok := rows[id]; ok && !known {
				items, values = append(items, q.candidates[n]), append(values, row)
				store.rows[id] = row
			}
		}
		if len(items) > 0 {
			if err := store.add(items, values); err != nil {
				return err
			}
			taken += len(items)
		}
	}
	if taken > 0 {
		q.notice(fmt.Sprintf("%d of %d slices were scored by parts of this query", taken, len(q.candidates)))
	}
	return nil
}

// Finished returns a function that tells whether a part of this query in the same work folder has been scored, and the file that its scores went to (see
// Result.WriteScores) says so: of the query as it is now, with these labels, images and options, and this model. Those are the parts that Run takes over.
func (o *Query) Finished() (func(part Shard, file string) bool, error) {
	text, err := o.run.state()
	if err != nil {
		return nil, err
	}
	own, err := undivided([]byte(text))
	if err != nil {
		return nil, err
	}
	is, err := digest(own)
	c := o.run.Config
	return func(part Shard, file string) bool {
		c.Shard = part
		there, err := readUndivided(c.folder())
		if err != nil || !reflect.DeepEqual(own, there) {
			return false
		}
		scored, err := os.ReadFile(file)
		return err == nil && strings.HasSuffix(string(scored), fmt.Sprintf(",%d/%d,%s\n", part.Part, part.Of, is))
	}, err
}

// digest returns a few digits that are the same for all parts of a query. Sizes and times of the images are left out, so that copies of a data set on several
// machines can be scored together; see state.
func digest(undivided map[string]any) (string, error) {
	state := maps.Clone(undivided)
	delete(state, "files")
	text, err := json.Marshal(state)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8]), err
}

// readUndivided returns the undivided state of the query in a work folder.
func readUndivided(dir string) (map[string]any, error) {
	text, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err != nil {
		return nil, err
	}
	return undivided(text)
}

// undivided returns the state of a query without what differs between its parts.
func undivided(text []byte) (state map[string]any, err error) {
	err = json.Unmarshal(text, &state)
	for _, key := range []string{"shard", "candidates", "size"} {
		delete(state, key)
	}
	return state, err
}
