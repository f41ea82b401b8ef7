package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/nextslice/nextslice/annotate"
)

type summaryOutput struct{ Body annotate.Summary }

func (s *Server) summary(ctx context.Context, _ *struct{}) (*summaryOutput, error) {
	summary, err := s.project.Dashboard.Summary(ctx)
	return &summaryOutput{summary}, err
}

type nextInput struct {
	Body *struct {
		After string `json:"after,omitempty" doc:"Offer what comes after this item."`
	}
}

type taskOutput struct {
	Status int
	Body   *annotate.Task
}

func (s *Server) next(ctx context.Context, in *nextInput) (*taskOutput, error) {
	var after *annotate.Item
	if in.Body != nil && in.Body.After != "" {
		item, err := s.project.Cases.Item(in.Body.After)
		if err != nil {
			return nil, err
		}
		after = &item
	}
	task, err := s.project.Queue.Next(ctx, person(ctx), after)
	if errors.Is(err, annotate.ErrNotFound) {
		return &taskOutput{Status: http.StatusNoContent}, nil
	}
	return &taskOutput{http.StatusOK, task}, err
}

// ItemPath names an item. It is exported because huma fills in the fields of exported embedded types only.
type ItemPath struct {
	Item string `path:"item" example:"Case12/017" doc:"CASE/SLICE as one path element: Case12%2F017."`
}

func (p ItemPath) name() string { return p.Item }

func (s *Server) task(ctx context.Context, item annotate.Item, _ *ItemPath) (*taskOutput, error) {
	task, err := s.project.Queue.Task(ctx, person(ctx), item)
	return &taskOutput{http.StatusOK, task}, err
}

type saveInput struct {
	ItemPath
	Seconds  float64 `query:"seconds" minimum:"0" doc:"How long the person worked on it."`
	Action   string  `query:"action" enum:"edited,accepted,empty" default:"edited"`
	Proposal int     `query:"proposal" minimum:"0" doc:"The model whose proposal the person saw; none if left out."`
	Base     int     `query:"base" minimum:"-1" default:"-1" doc:"The newest version of the label that the person knows, 0 for none: 409 if a newer one was saved, by anybody. The same mask by the same person once more is taken. If it is left out, nothing is checked."`
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

func (s *Server) saveLabel(ctx context.Context, item annotate.Item, in *saveInput) (*savedOutput, error) {
	answer := annotate.Answer{Item: item, Mask: in.RawBody, Seconds: in.Seconds, Action: in.Action}
	if in.Proposal > 0 {
		answer.Proposal = &in.Proposal
	}
	if in.Base >= 0 {
		answer.Base = &in.Base
	}
	saved, err := s.project.Labels.Save(ctx, person(ctx), answer)
	if err != nil {
		return nil, err
	}
	out := Saved{Version: saved.Version, Labelled: saved.Labelled, Agreement: saved.Agreement}
	if next, err := s.project.Queue.Next(ctx, person(ctx), &item); err == nil { // the label is saved: what is next can be asked again
		out.Next = next
	}
	return &savedOutput{out}, nil
}

type draftInput struct {
	ItemPath
	Base    int    `query:"base" minimum:"0" doc:"The newest version of the label that the person knows, 0 for none. A task gives it back as draft_base."`
	RawBody []byte `contentType:"application/octet-stream" doc:"Class indices, uint8, [height width]."`
}

func (s *Server) saveDraft(ctx context.Context, item annotate.Item, in *draftInput) (*struct{}, error) {
	return nil, s.project.Labels.SaveDraft(ctx, person(ctx), item, in.RawBody, in.Base)
}

type skipInput struct {
	ItemPath
	Body struct {
		Reason  string  `json:"reason" minLength:"1" maxLength:"500"`
		Seconds float64 `json:"seconds,omitempty" minimum:"0"`
	}
}

func (s *Server) skip(ctx context.Context, item annotate.Item, in *skipInput) (*struct{}, error) {
	return nil, s.project.Queue.Skip(ctx, person(ctx), item, in.Body.Reason, in.Body.Seconds)
}

func (s *Server) release(ctx context.Context, item annotate.Item, _ *ItemPath) (*struct{}, error) {
	return nil, s.project.Queue.Release(ctx, person(ctx), item)
}

type leaseOutput struct{ Body annotate.Lease }

func (s *Server) hold(ctx context.Context, item annotate.Item, _ *ItemPath) (*leaseOutput, error) {
	lease, err := s.project.Queue.Hold(ctx, person(ctx), item)
	return &leaseOutput{lease}, err
}

type draftsOutput struct{ Body []annotate.Draft }

func (s *Server) drafts(ctx context.Context, _ *struct{}) (*draftsOutput, error) {
	drafts, err := s.project.Queue.Drafts(ctx, person(ctx))
	return &draftsOutput{drafts}, err
}

type casesOutput struct{ Body []annotate.CaseState }

func (s *Server) cases(ctx context.Context, _ *struct{}) (*casesOutput, error) {
	states, err := s.project.Dashboard.States(ctx)
	return &casesOutput{states}, err
}

type versionsOutput struct{ Body []annotate.Version }

func (s *Server) versions(ctx context.Context, item annotate.Item, _ *ItemPath) (*versionsOutput, error) {
	versions, err := s.project.Labels.Versions(ctx, person(ctx), item)
	return &versionsOutput{versions}, err
}

type versionInput struct {
	ItemPath
	Version int `path:"version" minimum:"1"`
}

type restoreInput struct {
	ItemPath
	Version int `path:"version" minimum:"1"`
	Base    int `query:"base" minimum:"-1" default:"-1" doc:"The newest version of the label that the person knows: 409 if a newer one was saved, by anybody. If it is left out, nothing is checked."`
}

func (s *Server) restore(ctx context.Context, item annotate.Item, in *restoreInput) (*savedOutput, error) {
	var base *int
	if in.Base >= 0 {
		base = &in.Base
	}
	saved, err := s.project.Labels.Restore(ctx, person(ctx), item, in.Version, base)
	return &savedOutput{Saved{Version: saved.Version, Labelled: saved.Labelled}}, err
}

func (s *Server) askReading(ctx context.Context, item annotate.Item, _ *ItemPath) (*struct{}, error) {
	return nil, s.project.Queue.AskReading(ctx, person(ctx), item)
}
