package server

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/internal/null"
)

const prefix = "/api/v1"

// register lists all that the API can do: the table of contents of this package.
func (s *Server) register() {
	open := huma.NewGroup(s.api, prefix)
	open.UseMiddleware(s.meant, withAddress)
	add(open, "logIn", "POST /login", "Log in under a name", s.logIn, func(op *huma.Operation) { op.Errors = append(op.Errors, http.StatusTooManyRequests) })

	known := huma.NewGroup(s.api, prefix)
	known.UseMiddleware(s.meant, s.authenticate)
	add(known, "me", "GET /me", "Who is logged in", s.me)
	add(known, "logOut", "POST /logout", "Log out", s.logOut)

	add(known, "project", "GET /project", "The project's state", s.summary)
	add(known, "next", "POST /next", "Lease the next item of the queue", s.next, mayBeNothing, func(op *huma.Operation) { op.Errors = append(op.Errors, http.StatusNotFound, http.StatusGone) })
	add(known, "task", "GET /tasks/{item}", "An item with all that is needed to show it", onItem(s, s.task))

	add(known, "cases", "GET /cases", "How far each case is", s.cases)
	add(known, "drafts", "GET /drafts", "Your unfinished masks, the newest first", s.drafts)

	add(known, "image", "GET /cases/{case}/slices/{slice}/image", "Intensities of a slice", onItem(s, s.sliceImage), float32s)
	add(known, "proposal", "GET /items/{item}/proposal", "The model's mask", onItem(s, s.proposal), uint8s)
	add(known, "uncertainty", "GET /items/{item}/uncertainty", "Entropy of the model's answer at each pixel, in nats", onItem(s, s.uncertainty), float32s)
	add(known, "chances", "GET /items/{item}/chances", "What the model makes of a class at each pixel", onItem(s, s.chances), raw("uint8, [height width]: from 0 for never to 255 for always"))
	add(known, "label", "GET /items/{item}/label", "The label", onItem(s, s.label), uint8s)
	add(known, "saveLabel", "PUT /items/{item}/label", "Save a label; it is on disk when the answer comes", onItem(s, s.saveLabel), s.takesMask)
	add(known, "draft", "GET /items/{item}/draft", "Your unfinished mask", onItem(s, s.draft), uint8s)
	add(known, "saveDraft", "PUT /items/{item}/draft", "Keep an unfinished mask", onItem(s, s.saveDraft), s.takesMask)
	add(known, "skip", "POST /items/{item}/skip", "Take an item out, with a reason", onItem(s, s.skip))
	add(known, "hold", "POST /items/{item}/hold", "Keep an item for yourself, or keep it longer", onItem(s, s.hold))
	add(known, "release", "POST /items/{item}/release", "Give an item back", onItem(s, s.release))
	add(known, "versions", "GET /items/{item}/versions", "All saved masks of an item", onItem(s, s.versions))
	add(known, "versionMask", "GET /items/{item}/versions/{version}/mask", "One saved mask", onItem(s, s.versionMask), uint8s)
	add(known, "restore", "POST /items/{item}/versions/{version}/restore", "Make an earlier version the label again", onItem(s, s.restore))
	add(known, "askReading", "POST /items/{item}/read2", "Ask a second person to label an item independently", onItem(s, s.askReading))

	add(known, "reviews", "GET /reviews", "The reviewer's list: how far the review of each case is", s.reviews)
	add(known, "caseReviews", "GET /cases/{case}/reviews", "The labels of a case with their reviews", s.caseReviews)
	add(known, "reviewItem", "POST /items/{item}/review", "Accept, reject or send back a label, or mark it for discussion", onItem(s, s.reviewItem))
	add(known, "reviewCase", "POST /cases/{case}/review", "The same for all labels of a case that wait for a review", s.reviewCase)

	add(known, "queue", "GET /queue", "What was asked for: what waits, in its order, then what is done", s.queue)
	add(known, "history", "GET /history", "The audit log, newest first", s.history)
	add(known, "curves", "GET /curves", "How good the model is, and what more labels would bring", s.curves)
	add(known, "models", "GET /models", "All models", s.models)
	add(known, "events", "GET /events", "What happens, as it happens (server-sent events)", s.events, produces("text/event-stream"))

	add(known, "export", "GET /export", "The labels for other programs: a zip, or CSV", s.export, produces("application/zip", "text/csv"))
	add(known, "imageFile", "GET /cases/{case}/image.nii.gz", "A case's image as NIfTI", s.caseImage, produces("application/gzip"))
	add(known, "labelFile", "GET /cases/{case}/label.nii.gz", "A case's labels as NIfTI; unlabelled slices are background", s.caseLabel, produces("application/gzip"))
	add(known, "proposalFile", "GET /cases/{case}/proposal.nii.gz", "The model's mask of a case as NIfTI; background without a model", s.caseProposal, produces("application/gzip"))
}

// add registers one operation, which may return the project's errors. Requests for a case or an item may find none.
func add[I, O any](api huma.API, id, route, summary string, handler func(context.Context, *I) (*O, error), change ...func(*huma.Operation)) {
	method, path, _ := strings.Cut(route, " ")
	op := huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, MaxBodyBytes: maxJSON, Errors: []int{http.StatusUnauthorized, http.StatusPreconditionFailed}}
	if path != "/login" {
		op.Security = []map[string][]string{{"cookie": {}}, {"bearer": {}}}
	}
	if strings.Contains(path, "{") {
		op.Errors = append(op.Errors, http.StatusNotFound, http.StatusGone)
	}
	if method != http.MethodGet {
		op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusForbidden, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusInsufficientStorage)
	}
	for _, c := range change {
		c(&op)
	}
	huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err == nil {
			null.Clean(out)
		}
		return out, problem(err)
	})
}

// nullable completes the description of answers: a field that is a pointer may be null, which huma says of numbers and texts only.
func nullable(api *huma.OpenAPI) {
	null := &huma.Schema{Type: "null"}
	for name, schema := range api.Components.Schemas.Map() {
		t := api.Components.Schemas.TypeFromRef("#/components/schemas/" + name)
		if t == nil || t.Kind() != reflect.Struct {
			continue
		}
		for _, f := range reflect.VisibleFields(t) {
			key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			p := schema.Properties[key]
			if p == nil || p.Ref == "" || f.Type.Kind() != reflect.Pointer || strings.Contains(options, "omitempty") {
				continue
			}
			schema.Properties[key] = &huma.Schema{OneOf: []*huma.Schema{{Ref: p.Ref}, null}, Description: p.Description}
		}
	}
}

// onItem makes an operation of one that also gets the item that the request names.
func onItem[I interface{ name() string }, O any](s *Server, do func(context.Context, annotate.Item, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		item, err := s.project.Cases.Item((*in).name())
		if err != nil {
			return nil, err
		}
		return do(ctx, item, in)
	}
}

func mayBeNothing(op *huma.Operation) {
	op.Responses = map[string]*huma.Response{"204": {Description: "Nothing waits"}}
}

// produces documents an answer that is not JSON.
func produces(types ...string) func(*huma.Operation) {
	return func(op *huma.Operation) {
		content := map[string]*huma.MediaType{}
		for _, t := range types {
			content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		}
		op.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: content}}
	}
}

func raw(description string) func(*huma.Operation) {
	return func(op *huma.Operation) {
		produces("application/octet-stream")(op)
		op.Responses["200"].Description = description
	}
}

func float32s(op *huma.Operation) { raw("float32, [height width]")(op) }
func uint8s(op *huma.Operation) {
	raw("class indices, uint8, [height width]; 255 is unsure where the project has it")(op)
}

// takesMask bounds what masks that are being received take of memory.
func (s *Server) takesMask(op *huma.Operation) {
	op.MaxBodyBytes = int64(min(maxMask, 2*s.project.Cases.LargestSlice()+1024)) // one that is a little too large is told its size
	op.Errors = append(op.Errors, http.StatusServiceUnavailable)
	op.Middlewares = append(op.Middlewares, func(ctx huma.Context, next func(huma.Context)) {
		turn := time.NewTimer(maskWait)
		defer turn.Stop()
		select {
		case s.masks <- struct{}{}:
			defer func() { <-s.masks }()
			next(ctx)
		case <-ctx.Context().Done():
		case <-turn.C:
			ctx.SetHeader("Retry-After", "5")
			huma.WriteErr(s.api, ctx, http.StatusServiceUnavailable, "too many masks are being saved at once: it is tried again")
		}
	})
}
