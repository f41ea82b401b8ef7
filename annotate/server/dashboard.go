package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/store"
)

// QueueEntry is an item that was asked for.
type QueueEntry struct {
	Item    string     `json:"item"`
	Rank    int        `json:"rank" doc:"Place in the queue from 1; 0 for what is done."`
	Score   *float64   `json:"score"`
	State   string     `json:"state" enum:"waiting,leased,disputed,done,skipped,withdrawn"`
	Person  *string    `json:"person" doc:"Who works on it."`
	Until   *time.Time `json:"until" doc:"For how long it is kept for them."`
	Purpose string     `json:"purpose" enum:"training,validation,reading"`
	Cycle   int        `json:"cycle" doc:"Whose model asked for it; -1 is the initial set."`
	Kind    string     `json:"kind" enum:"query,fill" doc:"fill: chosen between two queries, so that nobody waits."`
}

type queueOutput struct{ Body []QueueEntry }

func (s *Server) queue(ctx context.Context, _ *struct{}) (*queueOutput, error) {
	rows, err := s.project.Store().Queue(ctx, true)
	if err != nil {
		return nil, problem(err)
	}
	out := &queueOutput{Body: []QueueEntry{}}
	var done []QueueEntry
	for _, q := range rows {
		e := QueueEntry{Item: q.Item.String(), Score: q.Score, State: string(q.State), Purpose: string(q.Purpose), Cycle: q.Cycle, Kind: q.Kind}
		if q.State != store.Waiting && q.State != store.Disputed {
			done = append(done, e)
			continue
		}
		e.Rank = len(out.Body) + 1
		if q.Lease != nil {
			e.Person, e.Until = &q.Lease.Person, &q.Lease.Until
			if q.State == store.Waiting {
				e.State = "leased"
			}
		}
		out.Body = append(out.Body, e)
	}
	out.Body = append(out.Body, done...)
	return out, nil
}

// LogEntry is a line of the audit log.
type LogEntry struct {
	When   time.Time `json:"when"`
	Person string    `json:"person" doc:"Empty for the program itself."`
	Action string    `json:"action"`
	Item   string    `json:"item"`
	Detail string    `json:"detail"`
}

type historyInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"10000" default:"100"`
}

type historyOutput struct{ Body []LogEntry }

func (s *Server) history(ctx context.Context, in *historyInput) (*historyOutput, error) {
	events, err := s.project.Store().Events(ctx, in.Limit)
	out := &historyOutput{Body: []LogEntry{}}
	for _, e := range events {
		entry := LogEntry{When: e.At, Person: e.Person, Action: e.Event, Detail: e.Detail}
		switch {
		case e.Item != nil && e.Item.Slice < 0:
			entry.Item = e.Item.Case
		case e.Item != nil:
			entry.Item = e.Item.String()
		}
		out.Body = append(out.Body, entry)
	}
	return out, problem(err)
}

type curvesOutput struct{ Body annotate.Curves }

func (s *Server) curves(ctx context.Context, _ *struct{}) (*curvesOutput, error) {
	c, err := s.project.Curves(ctx)
	return &curvesOutput{c}, problem(err)
}

// Model is one trained network.
type Model struct {
	Version        int       `json:"version"`
	Cycle          int       `json:"cycle"`
	Labelled       int       `json:"labelled" doc:"Training labels that it saw."`
	ValidationDice *float64  `json:"validation_dice"`
	PreviousDice   *float64  `json:"previous_dice" doc:"Of the model in use before, on the same labels."`
	InUse          bool      `json:"in_use"`
	Reason         string    `json:"reason" doc:"Why it was taken into use, or not."`
	When           time.Time `json:"when"`
}

type modelsOutput struct{ Body []Model }

func (s *Server) models(ctx context.Context, _ *struct{}) (*modelsOutput, error) {
	list, err := s.project.Store().Models(ctx)
	out := &modelsOutput{Body: []Model{}}
	used := -1
	for i, m := range list {
		out.Body = append(out.Body, Model{m.Version, m.Cycle, m.Labelled, m.Dice, m.Previous, false, m.Reason, m.At})
		if m.Adopted {
			used = i
		}
	}
	if used >= 0 {
		out.Body[used].InUse = true
	}
	return out, problem(err)
}

// heartbeat keeps connections open and finds those that are not.
const heartbeat = 20 * time.Second

func (s *Server) events(_ context.Context, _ *struct{}) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		events, end := s.project.Events()
		defer end()
		ctx.SetHeader("Content-Type", "text/event-stream")
		ctx.SetStatus(http.StatusOK)
		_, w := humago.Unwrap(ctx)
		control := http.NewResponseController(w)
		control.SetReadDeadline(time.Time{}) // that of the request would end the stream
		write := func(format string, args ...any) bool {
			control.SetWriteDeadline(time.Now().Add(heartbeat))
			_, err := fmt.Fprintf(w, format, args...)
			return err == nil && control.Flush() == nil
		}
		if !write(": connected\n\n") {
			return
		}
		beat := time.NewTicker(heartbeat)
		defer beat.Stop()
		for {
			select {
			case <-ctx.Context().Done():
				return
			case <-s.quit:
				return
			case <-beat.C:
				if !write(": still here\n\n") {
					return
				}
			case e, ok := <-events:
				if !ok {
					return
				}
				text, err := json.Marshal(e)
				if err != nil || !write("data: %s\n\n", text) {
					return
				}
			}
		}
	}}, nil
}
