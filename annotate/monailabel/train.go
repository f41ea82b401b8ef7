package monailabel

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/nextslice/nextslice/annotate"
)

// train begins a training.
func (h *Handler) train(w http.ResponseWriter, r *http.Request, model string) error {
	if model != Model {
		return problem{http.StatusNotFound, fmt.Sprintf("there is no model %q: the project's is %s", model, Model)}
	}
	in, err := parameters(w, r)
	if err != nil {
		return err
	}
	who, err := h.who(r, in.params.Client)
	if err != nil {
		return err
	}
	run, err := h.project.Trainings.Start(r.Context(), who)
	if annotate.Running(err) {
		return problem{http.StatusTooManyRequests, "a training is running"}
	}
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, h.task(run, nil))
}

// training tells how the last training stands; with check_if_running the status alone counts.
func (h *Handler) training(w http.ResponseWriter, r *http.Request) error {
	if _, err := h.who(r, ""); err != nil {
		return err
	}
	run, known := h.project.Trainings.Last()
	if !known {
		return problem{http.StatusNotFound, "nothing has been trained since the server was started"}
	}
	if strings.EqualFold(r.URL.Query().Get("check_if_running"), "true") && run.Status != annotate.TrainingRunning {
		return problem{http.StatusNotFound, "no training is running"}
	}
	s, err := h.project.Dashboard.Summary(r.Context())
	if err != nil {
		return err
	}
	task := h.task(run, s.Training)
	if strings.EqualFold(r.URL.Query().Get("all"), "true") {
		return reply(w, http.StatusOK, []object{task})
	}
	return reply(w, http.StatusOK, task)
}

// stop stops the training that is running.
func (h *Handler) stop(w http.ResponseWriter, r *http.Request) error {
	who, err := h.who(r, "")
	if err != nil {
		return err
	}
	run, err := h.project.Trainings.Stop(r.Context(), who)
	if errors.Is(err, annotate.ErrNotFound) {
		if last, known := h.project.Trainings.Last(); known { // a client reads the last line of it in any case
			return reply(w, http.StatusOK, h.task(last, nil))
		}
		return reply(w, http.StatusOK, nil)
	}
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, h.task(run, nil))
}

// mostDetails is how many lines a task has; it always has one, for clients read the last.
const mostDetails = 20

// task describes a training; now, which may be nil, is how far it is.
func (h *Handler) task(run annotate.TrainingRun, now *annotate.Training) object {
	lines := run.Lines
	end := any(nil)
	if run.Status == annotate.TrainingRunning {
		if now != nil {
			lines = append(lines, fmt.Sprintf("%s, epoch %d of %d, loss %.4f", now.Phase, now.Epoch, now.Epochs, now.Loss))
		}
	} else {
		end = stamp(run.End)
	}
	status := map[string]string{
		annotate.TrainingRunning: "RUNNING", annotate.TrainingDone: "DONE", annotate.TrainingFailed: "ERROR", annotate.TrainingStopped: "STOPPED",
	}[run.Status]
	id := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", h.project.ID(), run.Begin.UnixNano(), run.Number))
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // the bits of a random UUID
	return object{
		{"id", fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:16])}, {"status", status},
		{"request", object{{"model", Model}}}, {"start_ts", stamp(run.Begin)}, {"end_ts", end}, {"details", lines[max(0, len(lines)-mostDetails):]},
	}
}
