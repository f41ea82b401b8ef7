package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/store"
)

type summaryOutput struct{ Body annotate.Summary }

func (s *Server) summary(ctx context.Context, _ *struct{}) (*summaryOutput, error) {
	summary, err := s.project.Summary(ctx)
	return &summaryOutput{summary}, problem(err)
}

type nextInput struct {
	Body *struct {
		After string `json:"after,omitempty" doc:"Offer what comes behind this item."`
	}
}

type taskOutput struct {
	Status int
	Body   *annotate.Task
}

func (s *Server) next(ctx context.Context, in *nextInput) (*taskOutput, error) {
	var after *annotate.Item
	if in.Body != nil && in.Body.After != "" {
		item, err := s.project.Item(in.Body.After)
		if err != nil {
			return nil, problem(err)
		}
		after = &item
	}
	task, err := s.project.Next(ctx, person(ctx), after)
	if errors.Is(err, store.ErrNotFound) {
		return &taskOutput{Status: http.StatusNoContent}, nil
	}
	return &taskOutput{http.StatusOK, task}, problem(err)
}

// ItemPath names an item. It is exported because huma fills in the fields of exported embedded types only.
type ItemPath struct {
	Item string `path:"item" example:"Case12/017" doc:"CASE/SLICE as one path element: Case12%2F017."`
}

func (s *Server) task(ctx context.Context, in *ItemPath) (*taskOutput, error) {
	item, err := s.project.Item(in.Item)
	if err != nil {
		return nil, problem(err)
	}
	task, err := s.project.Task(ctx, item, person(ctx))
	return &taskOutput{http.StatusOK, task}, problem(err)
}

type saveInput struct {
	ItemPath
	Seconds  float64 `query:"seconds" minimum:"0" doc:"How long the person worked on it."`
	Action   string  `query:"action" enum:"edited,accepted,empty" default:"edited"`
	Proposal int     `query:"proposal" minimum:"0" doc:"The model whose proposal the person saw; none if left out."`
	Base     int     `query:"base" minimum:"-1" default:"-1" doc:"The version that the person began with, 0 for none: 409 if somebody else has saved since."`
	RawBody  []byte  `contentType:"application/octet-stream" doc:"Class indices, uint8, [height width]."`
}

// Saved is the answer to a saved label.
type Saved struct {
	Version   int            `json:"version"`
	Labelled  bool           `json:"labelled" doc:"False for a reading that waits for a second one, or for an adjudicator."`
	Agreement *float64       `json:"agreement" doc:"Dice of two readings, after the second."`
	Next      *annotate.Task `json:"next,omitempty" doc:"What comes next, leased to the person."`
}

type savedOutput struct{ Body Saved }

func (s *Server) saveLabel(ctx context.Context, in *saveInput) (*savedOutput, error) {
	item, err := s.project.Item(in.Item)
	if err != nil {
		return nil, problem(err)
	}
	answer := annotate.Answer{Item: item, Mask: in.RawBody, Seconds: in.Seconds, Action: in.Action}
	if in.Proposal > 0 {
		answer.Proposal = &in.Proposal
	}
	if in.Base >= 0 {
		answer.Base = &in.Base
	}
	saved, err := s.project.Save(ctx, person(ctx), answer)
	if err != nil {
		return nil, problem(err)
	}
	out := Saved{Version: saved.Version, Labelled: saved.Labelled, Agreement: saved.Agreement}
	out.Next, err = s.project.Next(ctx, person(ctx), &item)
	if err != nil {
		out.Next = nil // the label is saved: what is next can be asked again
	}
	return &savedOutput{out}, nil
}

type draftInput struct {
	ItemPath
	RawBody []byte `contentType:"application/octet-stream" doc:"Class indices, uint8, [height width]."`
}

func (s *Server) saveDraft(ctx context.Context, in *draftInput) (*struct{}, error) {
	item, err := s.project.Item(in.Item)
	if err != nil {
		return nil, problem(err)
	}
	return nil, problem(s.project.SaveDraft(ctx, person(ctx), item, in.RawBody))
}

type skipInput struct {
	ItemPath
	Body struct {
		Reason  string  `json:"reason" minLength:"1" maxLength:"500"`
		Seconds float64 `json:"seconds,omitempty" minimum:"0"`
	}
}

func (s *Server) skip(ctx context.Context, in *skipInput) (*struct{}, error) {
	item, err := s.project.Item(in.Item)
	if err != nil {
		return nil, problem(err)
	}
	return nil, problem(s.project.Skip(ctx, person(ctx), item, in.Body.Reason, in.Body.Seconds))
}

func (s *Server) release(ctx context.Context, in *ItemPath) (*struct{}, error) {
	item, err := s.project.Item(in.Item)
	if err != nil {
		return nil, problem(err)
	}
	return nil, problem(s.project.Store().Release(ctx, item, person(ctx).Name))
}

// Version is one saved mask.
type Version struct {
	Version        int       `json:"version"`
	Who            string    `json:"who"`
	When           time.Time `json:"when"`
	Seconds        float64   `json:"seconds"`
	Action         string    `json:"action"`
	Proposal       *int      `json:"proposal" doc:"The model whose proposal it was compared with."`
	DiceToProposal *float64  `json:"dice_to_proposal"`
	Reading        int       `json:"reading" doc:"1 or 2 for one of two independent readings, else 0."`
	Agreement      *float64  `json:"agreement" doc:"Dice of two readings."`
	Restored       *int      `json:"restored" doc:"The version that this one brings back."`
}

type versionsOutput struct{ Body []Version }

func (s *Server) versions(ctx context.Context, in *ItemPath) (*versionsOutput, error) {
	item, err := s.project.Item(in.Item)
	if err != nil {
		return nil, problem(err)
	}
	list, err := s.project.Versions(ctx, person(ctx), item)
	out := &versionsOutput{Body: []Version{}}
	for _, v := range list {
		out.Body = append(out.Body, Version{v.Version, v.Person, v.At, v.Seconds, v.Action, v.Proposal, v.Dice, v.Reading, v.Agreement, v.Restored})
	}
	return out, problem(err)
}

type versionInput struct {
	ItemPath
	Version int `path:"version" minimum:"1"`
}

func (s *Server) restore(ctx context.Context, in *versionInput) (*savedOutput, error) {
	item, err := s.project.Item(in.Item)
	if err != nil {
		return nil, problem(err)
	}
	saved, err := s.project.Restore(ctx, person(ctx), item, in.Version)
	return &savedOutput{Saved{Version: saved.Version, Labelled: saved.Labelled}}, problem(err)
}

func (s *Server) askReading(ctx context.Context, in *ItemPath) (*struct{}, error) {
	item, err := s.project.Item(in.Item)
	if err != nil {
		return nil, problem(err)
	}
	return nil, problem(s.project.AskReading(ctx, person(ctx), item))
}
