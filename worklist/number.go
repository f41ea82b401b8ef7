package worklist

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/nextslice/nextslice/internal/atomicfile"
)

// numberFile has the number of the work folder's last query with labels, from 0, which strategies such as clasp go by, and a digest of these labels.
const numberFile = "number.json"

// count sets the number of the query: it rises whenever the labels have changed, and stays where a query goes on or another one of the same labels takes its place. The first query with
// labels is 0, and so is one without. It is no part of the state, since nothing that is kept in the work folder depends on it, and shards, which pick nothing, have none.
func (q *run) count() error {
	if len(q.known) == 0 || q.Shard.Of > 0 {
		return nil
	}
	var last struct {
		Number int    `json:"number"`
		Labels string `json:"labels"`
	}
	path := filepath.Join(q.dir, numberFile)
	text, err := os.ReadFile(path)
	switch {
	case err == nil:
		if err := json.Unmarshal(text, &last); err != nil || last.Number < 0 {
			return fmt.Errorf("%s is damaged (%v): remove it to count queries from the first again", path, err)
		}
		if q.number = last.Number; last.Labels == q.seen.labels {
			return nil
		}
		q.number++
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	last.Number, last.Labels = q.number, q.seen.labels
	if text, err = json.MarshalIndent(last, "", "  "); err != nil {
		return err
	}
	return atomicfile.Write(path, append(text, '\n'), 0o600)
}
