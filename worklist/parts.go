package worklist

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
)

// takeParts takes over what the parts of this query (see Config.Shard) have scored in the same work folder, so that it need not be scored again. Parts of
// another query, with other labels or another model, count for nothing.
func (q *run) takeParts(store *scoreFile) error {
	if q.Shard.Of > 0 {
		return nil
	}
	own, err := undivided(filepath.Join(q.dir, stateFile))
	if err != nil {
		return err
	}
	parts, err := filepath.Glob(filepath.Join(q.dir, "shard-*-of-*"))
	if err != nil {
		return err
	}
	rows := map[string][]float64{}
	for _, part := range parts {
		state, err := undivided(filepath.Join(part, stateFile))
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

// digest returns a few digits that are the same for all parts of a query. Sizes and times of the images are left out, so that copies of a data set on several
// machines can be scored together; see state.
func digest(path string) (string, error) {
	state, err := undivided(path)
	if err != nil {
		return "", err
	}
	delete(state, "files")
	text, err := json.Marshal(state)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8]), err
}

// undivided returns the state of a query without what differs between its parts.
func undivided(path string) (state map[string]any, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	err = json.Unmarshal(text, &state)
	for _, key := range []string{"shard", "candidates", "size"} {
		delete(state, key)
	}
	return state, err
}
