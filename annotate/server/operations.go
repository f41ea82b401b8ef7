package server

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

const prefix = "/api/v1"

// register lists all that the API can do: the table of contents of this package.
func (s *Server) register() {
	open := huma.NewGroup(s.api, prefix)
	add(open, "POST", "/login", "Log in under a name", s.logIn)

	known := huma.NewGroup(s.api, prefix)
	known.UseMiddleware(s.authenticate)
	add(known, "GET", "/me", "Who is logged in", s.me)
	add(known, "POST", "/logout", "Log out", s.logOut)

	add(known, "GET", "/project", "The project's state", s.summary)
	add(known, "POST", "/next", "Lease the next item of the queue; 204 if nothing waits", s.next)
	add(known, "GET", "/tasks/{item}", "An item with all that is needed to show it", s.task)

	add(known, "GET", "/cases/{case}/slices/{slice}/image", "Intensities of a slice", s.sliceImage, float32s)
	add(known, "GET", "/items/{item}/proposal", "The model's mask", s.proposal, uint8s)
	add(known, "GET", "/items/{item}/uncertainty", "Entropy of the model's answer at each pixel, in nats", s.uncertainty, float32s)
	add(known, "GET", "/items/{item}/label", "The label", s.label, uint8s)
	add(known, "PUT", "/items/{item}/label", "Save a label; it is on disk when the answer comes", s.saveLabel, takesMask)
	add(known, "GET", "/items/{item}/draft", "Your unfinished mask", s.draft, uint8s)
	add(known, "PUT", "/items/{item}/draft", "Keep an unfinished mask", s.saveDraft, takesMask)
	add(known, "POST", "/items/{item}/skip", "Take an item out, with a reason", s.skip)
	add(known, "POST", "/items/{item}/release", "Give an item back", s.release)
	add(known, "GET", "/items/{item}/versions", "All saved masks of an item", s.versions)
	add(known, "GET", "/items/{item}/versions/{version}/mask", "One saved mask", s.versionMask, uint8s)
	add(known, "POST", "/items/{item}/versions/{version}/restore", "Make an earlier version the label again", s.restore)
	add(known, "POST", "/items/{item}/read2", "Ask a second person to label an item independently", s.askReading)

	add(known, "GET", "/queue", "What was asked for: what waits, in its order, then what is done", s.queue)
	add(known, "GET", "/history", "The audit log, newest first", s.history)
	add(known, "GET", "/curves", "How good the model is, and what more labels would bring", s.curves)
	add(known, "GET", "/models", "All models", s.models)
	add(known, "GET", "/events", "What happens, as it happens (server-sent events)", s.events, produces("text/event-stream"))

	add(known, "GET", "/export", "The labels for other programs: a zip, or CSV", s.export, produces("application/zip", "text/csv"))
	add(known, "GET", "/cases/{case}/image.nii.gz", "A case's image as NIfTI", s.caseImage, produces("application/gzip"))
	add(known, "GET", "/cases/{case}/label.nii.gz", "A case's labels as NIfTI", s.caseLabel, produces("application/gzip"))
	add(known, "GET", "/cases/{case}/proposal.nii.gz", "The model's mask of a case as NIfTI", s.caseProposal, produces("application/gzip"))
}

func add[I, O any](api huma.API, method, path, summary string, handler func(context.Context, *I) (*O, error), change ...func(*huma.Operation)) {
	op := huma.Operation{
		OperationID: huma.GenerateOperationID(method, path, new(O)), Method: method, Path: path, Summary: summary,
		MaxBodyBytes: maxJSON, Errors: []int{http.StatusUnauthorized},
	}
	if path == "/login" {
		op.Errors = nil
	}
	for _, c := range change {
		c(&op)
	}
	huma.Register(api, op, handler)
}

// produces documents an answer that is not JSON.
func produces(types ...string) func(*huma.Operation) {
	return func(op *huma.Operation) {
		content := map[string]*huma.MediaType{}
		for _, t := range types {
			content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		}
		op.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: content}}
		op.Errors = slices.Concat(op.Errors, []int{http.StatusNotFound})
	}
}

func raw(description string) func(*huma.Operation) {
	return func(op *huma.Operation) {
		produces("application/octet-stream")(op)
		op.Responses["200"].Description = description
	}
}

func float32s(op *huma.Operation) { raw("float32, [height width]")(op) }
func uint8s(op *huma.Operation)   { raw("class indices, uint8, [height width]")(op) }

func takesMask(op *huma.Operation) {
	op.MaxBodyBytes = maxMask
	op.Errors = slices.Concat(op.Errors, []int{http.StatusNotFound, http.StatusConflict, http.StatusInsufficientStorage})
}
