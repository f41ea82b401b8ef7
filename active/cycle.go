package active

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/nextslice/nextslice/internal/null"
	"github.com/nextslice/nextslice/metrics"
)

// Cycle is the record of one cycle. It holds nothing that differs between two runs of the same seed: no times, no
// paths.
type Cycle struct {
	Cycle    int             `json:"cycle"`            // 0 is the initial set
	Labelled int             `json:"labelled"`         // items that the model was trained on
	Query    []string        `json:"query,omitempty"`  // names of the items asked for, in the strategy's order; none in the last cycle
	Scores   Scores          `json:"scores,omitempty"` // of the items of Query
	Scored   int             `json:"scored,omitempty"` // unlabelled items that were scored to choose them
	Measures metrics.Summary `json:"measures"`         // of the model, on the test cases

	Copies []string      `json:"copies,omitempty"` // names of labelled items that count once more from the next cycle on; no labels
	Pseudo *PseudoLabels `json:"pseudo,omitempty"` // that the next cycle's model is trained on
	Critic *Critic       `json:"critic,omitempty"` // that the query went by
}

// Critic says what the discriminator of a query is worth.
type Critic struct {
	Reconstruction float64 `json:"reconstruction"` // mean squared error of the autoencoder, of labelled and of unlabelled items together
	Divergence     float64 `json:"divergence"`     // of its latent space from a normal one, in nats
	Discriminator  float64 `json:"discriminator"`  // loss; 2 ln 2 where it tells nothing
	Spread         float64 `json:"spread"`         // standard deviation of its logits over the items that were scored
}

// PseudoLabels are predictions that are learnt as if they were labels. They are none, and no item of them counts as labelled.
type PseudoLabels struct {
	Items      int     `json:"items"`
	Ignored    float64 `json:"ignored"`    // share of their pixels that has no label
	Foreground float64 `json:"foreground"` // share of the items with any foreground
	// HiddenDice is their Dice against the hidden masks, the mean over the foreground classes. Nobody knows it outside a simulation.
	HiddenDice null.Float `json:"hidden_dice"`
}

// Scores are one number per item; NaN, for an item without a score, is null in JSON.
type Scores []float64

// MarshalJSON writes NaN as null, for JSON has no NaN.
func (s Scores) MarshalJSON() ([]byte, error) {
	values := make([]null.Float, len(s))
	for i, score := range s {
		values[i] = null.Float(score)
	}
	return json.Marshal(values)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Scores) UnmarshalJSON(data []byte) error {
	var values []null.Float
	if err := json.Unmarshal(data, &values); err != nil {
		return err
	}
	*s = make(Scores, len(values))
	for i, v := range values {
		(*s)[i] = float64(v)
	}
	return nil
}

// WriteCycle writes a cycle as one line of JSON.
func WriteCycle(w io.Writer, c Cycle) error {
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// ReadCycles reads the lines that WriteCycle wrote and returns them with the number of bytes they take. A last line
// without its end is left out: it is what a crash leaves behind. Any other line that is not a cycle is an error.
func ReadCycles(r io.Reader) (cycles []Cycle, size int64, err error) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return cycles, size, nil
		}
		if err != nil {
			return nil, 0, err
		}
		var c Cycle
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&c); err != nil {
			return nil, 0, fmt.Errorf("line %d: %w", len(cycles)+1, err)
		}
		if c.Cycle != len(cycles) {
			return nil, 0, fmt.Errorf("line %d: it is cycle %d, want %d: lines are missing or doubled; put the file back as it was, or move its folder away to run it again", len(cycles)+1, c.Cycle, len(cycles))
		}
		cycles = append(cycles, c)
		size += int64(len(line))
	}
}
