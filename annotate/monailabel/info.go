package monailabel

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"github.com/nextslice/nextslice/annotate"
)

// Names of segments that are no classes.
const (
	// Frame frames the slices that are asked for, in the label that a sample begins with.
	Frame = "asked_slices"
	// AllSlices is a segment that a person adds, empty, to submit all slices of a mask.
	AllSlices = "all_slices"
)

// Values of the option slices of the strategy.
const (
	onlyAsked  = "those asked for"
	everySlice = "all"
)

// classes returns those that people draw with, without the background, in the order of their values in masks for clients: 1, 2 …
func classes(s annotate.Summary) []annotate.Class { return s.Classes[1:] }

func numbers(classes []annotate.Class) object {
	o := object{}
	for i, c := range classes {
		o = append(o, field{c.Name, i + 1})
	}
	return o
}

// notPlain are characters that clients would have to escape in a path.
var notPlain = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// strategyName is the query strategy of a project as a part of a path.
func strategyName(s annotate.Summary) string {
	return strings.Trim(notPlain.ReplaceAllString(s.Strategy, "_"), "_")
}

// info tells what the server offers. It is asked for every few seconds during a training and computes nothing.
func (h *Handler) info(w http.ResponseWriter, r *http.Request) error {
	who, err := h.who(r, "")
	if err != nil {
		return err
	}
	s, err := h.project.Dashboard.Summary(r.Context())
	if err != nil {
		return err
	}
	labels := []string{}
	for _, c := range classes(s) {
		labels = append(labels, c.Name)
	}
	asks := "The case with the most slices that " + s.Strategy + " asks for."
	if now := h.currentOf(who.Name); now != nil {
		asks += " " + h.project.Cases.Describe(now.Sample)
	}
	models, trainers, stats := object{}, object{}, object{}
	if s.Model != nil {
		models = object{{Model, object{
			{"type", "segmentation"}, {"labels", numbers(classes(s))}, {"dimension", 3}, {"description", modelText(s)}, {"config", object{}},
		}}}
	}
	if h.project.Trainings.Possible() {
		trainers = object{{Model, object{{"description", "Trains on all labels so far; it also begins by itself when enough are new."}, {"config", object{}}}}}
		stats = object{{Model, h.stats(s)}}
	}
	store, err := h.counts(r.Context(), s)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, object{ // never "config": clients take it for a server that is too old
		{"name", s.Name}, {"description", asks}, {"version", "1"}, {"labels", labels}, {"models", models}, {"trainers", trainers},
		{"strategies", object{{strategyName(s), object{{"description", asks}, {"config", object{{"slices", []string{onlyAsked, everySlice}}}}}}}},
		{"scoring", object{}}, {"train_stats", stats}, {"datastore", store},
	})
}

// stats tells how far a training is. While one runs there is no total_time, or the progress would be shown as 0.
func (h *Handler) stats(s annotate.Summary) object {
	o := object{{"best_metric", 0.0}}
	if s.Model != nil && s.Model.ValidationDice != nil {
		o[0].value = *s.Model.ValidationDice
	}
	run, known := h.project.Trainings.Last()
	switch {
	case known && run.Status == annotate.TrainingRunning:
		t := annotate.Training{}
		if s.Training != nil {
			t = *s.Training
		}
		return append(object{{"epoch", t.Epoch}, {"total_epochs", max(1, t.Epochs)}}, o...)
	case known && run.Status == annotate.TrainingDone:
		return append(object{{"epoch", 1}, {"total_epochs", 1}, {"total_time", run.End.Sub(run.Begin).Round(1e9).String()}}, o...)
	}
	return append(object{{"epoch", 0}, {"total_epochs", 1}, {"total_time", "0s"}}, o...)
}

// counts are of slices, so that the bar of the client moves with each.
func (h *Handler) counts(ctx context.Context, s annotate.Summary) (object, error) {
	labelled, err := h.project.Labels.Cases(ctx)
	if err != nil {
		return nil, err
	}
	tags := object{{"final", labelled}, {"original", len(h.project.Cases.Names())}}
	return object{{"total", s.Items}, {"completed", s.Labelled}, {"label_tags", tags}}, nil
}

// currentOf returns the sample that a person works on, nil if there is none.
func (h *Handler) currentOf(person string) *sample {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.samples[person][h.current[person]]
}
