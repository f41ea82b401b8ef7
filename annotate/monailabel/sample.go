package monailabel

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/volume"
)

// maxJSON bounds parameters.
const maxJSON = 64 << 10

func modelText(s annotate.Summary) string {
	text := fmt.Sprintf("U-Net, model %d of %d labels", s.Model.Version, s.Model.Labelled)
	if s.Model.ValidationDice != nil {
		text += fmt.Sprintf(", validation Dice %.3f", *s.Model.ValidationDice)
	}
	return text
}

// next gives a person the case with the most slices that wait.
func (h *Handler) next(w http.ResponseWriter, r *http.Request, strategy string) error {
	var in struct {
		Client string `json:"client_id"`
		Slices string `json:"slices"`
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxJSON))
	if err != nil {
		return problem{http.StatusRequestEntityTooLarge, "the parameters are too long"}
	}
	if len(text) > 0 && json.Unmarshal(text, &in) != nil {
		return problem{http.StatusBadRequest, "the parameters are no JSON object"}
	}
	who, err := h.who(r, in.Client)
	if err != nil {
		return err
	}
	s, err := h.project.Dashboard.Summary(r.Context())
	if err != nil {
		return err
	}
	if name := strategyName(s); strategy != name {
		return problem{http.StatusNotFound, fmt.Sprintf("there is no strategy %q: the project's is %s", strategy, name)}
	}
	h.mu.Lock()
	after := h.current[who.Name]
	h.mu.Unlock()
	got, err := h.wait(r, who, after, s.Labelled+s.Skipped < s.Items)
	if errors.Is(err, annotate.ErrNotFound) {
		return reply(w, http.StatusOK, object{}) // the client says that nothing is left
	}
	if err != nil {
		return err
	}
	file, one, err := h.images.open(got.Case)
	if err != nil {
		return err
	}
	file.Close()
	h.give(who.Name, &sample{got, in.Slices == everySlice})
	h.grantImage(r, got.Case)
	now := h.now().Unix()
	return reply(w, http.StatusOK, object{
		{"id", got.Case}, {"name", imageName(got.Case)}, {"checksum", one.sum}, {"ts", now},
		{"description", h.project.Cases.Describe(got)}, {"queued_slices", got.Slices},
		{"strategy", object{{strategy, object{{"ts", now}, {"client_id", who.Name}}}}},
	})
}

// refill is how long a person waits for the queue to be filled when there is nothing for them.
const refill = 3 * time.Second

// wait returns the next sample; where others hold all that waits, or a moment ago the last was submitted, it waits for more.
func (h *Handler) wait(r *http.Request, who annotate.Person, after string, more bool) (*annotate.Sample, error) {
	events, end := h.project.Events.Listen()
	defer end()
	until := time.After(refill)
	for {
		got, err := h.project.Queue.NextCase(r.Context(), who, after)
		if !errors.Is(err, annotate.ErrNotFound) || !more {
			return got, err
		}
		for changed := false; !changed; {
			select {
			case e, open := <-events:
				changed = open && e.Type == "queue"
				if !open {
					return nil, err
				}
			case <-until:
				return nil, err
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}
	}
}

// mostSamples bounds how many samples of a person are remembered.
const mostSamples = 1000

// give remembers what a person was given.
func (h *Handler) give(person string, s *sample) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remember(person, s)
	h.current[person] = s.Case
}

// remember needs mu.
func (h *Handler) remember(person string, s *sample) {
	if h.samples[person] == nil || len(h.samples[person]) >= mostSamples {
		h.samples[person] = map[string]*sample{}
	}
	if len(h.samples) > mostSamples {
		clear(h.samples)
		h.samples[person] = map[string]*sample{}
	}
	h.samples[person][s.Case] = s
}

// sampleOf returns what a person was given of a case: in this session, or, after they have submitted it or the server was started anew, by the slices that
// are kept for them. What they know of its labels is what they have loaded: nothing where that is not remembered.
func (h *Handler) sampleOf(r *http.Request, who annotate.Person, name string) (*sample, error) {
	h.mu.Lock()
	s := h.samples[who.Name][name]
	h.mu.Unlock()
	if s != nil && len(s.Slices) > 0 {
		return s, nil
	}
	var before *annotate.Sample
	if s != nil {
		before = s.Sample
	}
	held, err := h.project.Queue.SampleOf(r.Context(), who, name, before)
	if err != nil {
		return nil, err
	}
	return &sample{Sample: held}, nil
}

// begin returns the label map that a person begins with, in the client's values, with the slices that they are asked for framed.
func (h *Handler) begin(r *http.Request, who annotate.Person, s *sample, classes []annotate.Class) (*volume.Mask, error) {
	mask, err := h.project.SampleMask(r.Context(), who, s.Sample)
	if err != nil {
		return nil, err
	}
	mask = numbered(mask, classes)
	along := mask.Grid.Slices(h.project.Config.Preprocess.Axis)
	width := max(1, min(along.Height, along.Width)/100)
	for _, k := range s.Slices {
		slice := mask.Slice(h.project.Config.Preprocess.Axis, k)
		for i := range slice {
			row, column := i/along.Width, i%along.Width
			edge := min(row, column, along.Height-1-row, along.Width-1-column)
			if edge < width && slice[i] == 0 {
				slice[i] = uint8(len(classes) + 1)
			}
		}
		mask.SetSlice(h.project.Config.Preprocess.Axis, k, slice)
	}
	return mask, nil
}

// numbered returns a mask with the values 1, 2 … of the classes in their order: clients take the k-th name for value k.
func numbered(m *volume.Mask, classes []annotate.Class) *volume.Mask {
	var to [256]uint8
	for i, c := range classes {
		to[c.Value] = uint8(i + 1)
	}
	out := &volume.Mask{Grid: m.Grid, Data: make([]uint8, len(m.Data))}
	for i, v := range m.Data {
		out.Data[i] = to[v]
	}
	return out
}
