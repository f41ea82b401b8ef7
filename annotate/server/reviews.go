package server

import (
	"context"

	"github.com/nextslice/nextslice/annotate"
)

type reviewsOutput struct{ Body []annotate.ReviewedCase }

func (s *Server) reviews(ctx context.Context, _ *struct{}) (*reviewsOutput, error) {
	cases, err := s.project.Reviews.Cases(ctx, person(ctx))
	return &reviewsOutput{cases}, err
}

// CasePath names a case.
type CasePath struct {
	Case string `path:"case" example:"Case12"`
}

type caseReviewsOutput struct{ Body []annotate.ReviewedItem }

func (s *Server) caseReviews(ctx context.Context, in *CasePath) (*caseReviewsOutput, error) {
	items, err := s.project.Reviews.Items(ctx, person(ctx), in.Case)
	return &caseReviewsOutput{items}, err
}

// JudgementBody is what a reviewer says.
type JudgementBody struct {
	Status string `json:"status" enum:"accepted,rejected,discuss,returned" doc:"A rejected label is not learnt from; one that is returned waits in the queue to be corrected."`
	Note   string `json:"note,omitempty" maxLength:"1000" doc:"What is wrong; one that is returned needs it."`
}

type reviewItemInput struct {
	ItemPath
	Body struct {
		JudgementBody
		Version int `json:"version,omitempty" minimum:"1" doc:"The version that the reviewer saw: another label is a conflict. Without it the label as it is now is reviewed."`
	}
}

func (s *Server) reviewItem(ctx context.Context, item annotate.Item, in *reviewItemInput) (*struct{}, error) {
	return nil, s.project.Reviews.Item(ctx, person(ctx), item, annotate.Judgement{Status: in.Body.Status, Note: in.Body.Note, Version: in.Body.Version})
}

type reviewCaseInput struct {
	CasePath
	Body struct {
		JudgementBody
		Versions map[string]int `json:"versions,omitempty" doc:"The versions that the reviewer saw, by item: what is another label by now, or not among them, goes on waiting. Without it the labels as they are now are reviewed."`
	}
}

type reviewedOutput struct {
	Body struct {
		Labels int `json:"labels" doc:"How many were reviewed: those that have no review as they are."`
	}
}

func (s *Server) reviewCase(ctx context.Context, in *reviewCaseInput) (*reviewedOutput, error) {
	n, err := s.project.Reviews.Case(ctx, person(ctx), in.Case, annotate.Judgement{Status: in.Body.Status, Note: in.Body.Note, Shown: in.Body.Versions})
	out := &reviewedOutput{}
	out.Body.Labels = n
	return out, err
}
