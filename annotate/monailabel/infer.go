package monailabel

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/nextslice/nextslice/annotate"
)

// results are the endings of files that a client may want.
var results = []string{".nrrd", ".nii.gz", ".nii", ".mha"}

// infer answers with the mask that the model in use makes of a case.
func (h *Handler) infer(w http.ResponseWriter, r *http.Request, model string) error {
	if model != Model {
		return problem{http.StatusNotFound, fmt.Sprintf("there is no model %q: the project's is %s", model, Model)}
	}
	if r.URL.Query().Get("session_id") != "" {
		return problem{http.StatusNotFound, "there is no such session"}
	}
	switch r.URL.Query().Get("output") {
	case "", "all", "image":
	default:
		return problem{http.StatusBadRequest, "output: want all"}
	}
	name, err := h.caseOf(r, "image")
	if err != nil {
		return err
	}
	if _, err := h.who(r, ""); err != nil {
		return err
	}
	in, err := parameters(w, r)
	if err != nil {
		return err
	}
	who, err := h.who(r, in.params.Client)
	if err != nil {
		return err
	}
	extension := strings.ToLower(in.params.Extension)
	if extension == "" || extension == ".seg.nrrd" {
		extension = ".nrrd"
	}
	if !slices.Contains(results, extension) {
		return problem{http.StatusUnprocessableEntity, "result_extension: want " + strings.Join(results, ", ")}
	}
	s, err := h.project.Dashboard.Summary(r.Context())
	if err != nil {
		return err
	}
	version := h.project.Predictor.InUse()
	if version == 0 { // also while a model that is stored is being read
		return problem{http.StatusServiceUnavailable, noModel(s)}
	}
	if !h.project.Predictor.Shows(name) {
		return problem{http.StatusForbidden, name + " tests the model: it is labelled without the model's masks"}
	}
	done, err := h.turn(r.Context())
	if err != nil {
		return err
	}
	defer done()
	if given := h.currentOf(who.Name); given != nil && given.Case == name { // still at work
		if err := h.project.Queue.KeepCase(r.Context(), who, given.Sample); err != nil {
			return err
		}
	}
	mask, err := h.project.Predictor.Case(r.Context(), name)
	if err != nil {
		return err
	}
	file, err := encoded(numbered(mask, classes(s)), extension)
	if err != nil {
		return err
	}
	kind, body, err := answer(object{{"label_names", numbers(classes(s))}, {"model", version}}, "mask"+extension, file)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body))) // the client would take the lengths of chunks for voxels
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // a client that has gone is nobody's fault
	return nil
}

// parameters reads those of a request, which may be JSON or a form; files are passed over.
func parameters(w http.ResponseWriter, r *http.Request) (form, error) {
	var in form
	switch kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); {
	case strings.HasPrefix(kind, "multipart/"):
		return readForm(w, r, "", 1<<30)
	case r.ContentLength != 0:
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxJSON)).Decode(&in.params); err != nil {
			return in, problem{http.StatusBadRequest, "the parameters are no JSON object"}
		}
	}
	return in, nil
}

func noModel(s annotate.Summary) string {
	if s.UntilModel != nil && *s.UntilModel > 0 {
		return fmt.Sprintf("there is no model yet: it takes %d more labels", *s.UntilModel)
	}
	return "there is no model yet"
}

// answer returns the two parts of a prediction: parameters, which must have no file name, and the file, which must have one.
func answer(params any, name string, file []byte) (kind string, body []byte, err error) {
	text, err := json.Marshal(params)
	if err != nil {
		return "", nil, err
	}
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for _, part := range []struct {
		head, kind string
		data       []byte
	}{
		{`form-data; name="params"`, "application/json", text},
		{`form-data; name="image"; ` + quoted(name), "application/octet-stream", file},
	} {
		w, err := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {part.head}, "Content-Type": {part.kind}})
		if err != nil {
			return "", nil, err
		}
		_, _ = w.Write(part.data)
	}
	if err := form.Close(); err != nil {
		return "", nil, err
	}
	return form.FormDataContentType(), b.Bytes(), nil
}
