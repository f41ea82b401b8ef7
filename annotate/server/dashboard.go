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
)

type queueOutput struct{ Body []annotate.QueueEntry }

func (s *Server) queue(ctx context.Context, _ *struct{}) (*queueOutput, error) {
	queue, err := s.project.Queue.List(ctx)
	return &queueOutput{queue}, err
}

type historyInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"10000" default:"100"`
}

type historyOutput struct{ Body []annotate.LogEntry }

func (s *Server) history(ctx context.Context, in *historyInput) (*historyOutput, error) {
	lines, err := s.project.Dashboard.History(ctx, in.Limit)
	return &historyOutput{lines}, err
}

type curvesOutput struct{ Body annotate.Curves }

func (s *Server) curves(ctx context.Context, _ *struct{}) (*curvesOutput, error) {
	c, err := s.project.Dashboard.Curves(ctx)
	return &curvesOutput{c}, err
}

type modelsOutput struct{ Body []annotate.Model }

func (s *Server) models(ctx context.Context, _ *struct{}) (*modelsOutput, error) {
	models, err := s.project.Dashboard.Models(ctx)
	return &modelsOutput{models}, err
}

// heartbeat keeps connections open and finds those that are not.
const heartbeat = 20 * time.Second

func (s *Server) events(_ context.Context, _ *struct{}) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		events, end := s.project.Events.Listen()
		defer end()
		ctx.SetHeader("Content-Type", "text/event-stream")
		ctx.SetStatus(http.StatusOK)
		_, w := humago.Unwrap(ctx)
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(time.Time{}) // that of the request would end the stream
		write := func(format string, args ...any) bool {
			_ = control.SetWriteDeadline(time.Now().Add(heartbeat))
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
