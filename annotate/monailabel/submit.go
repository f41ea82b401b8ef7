package monailabel

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/internal/tempdir"
	"github.com/nextslice/nextslice/volume"
)

// form is a multipart request: parameters as JSON, and a file.
type form struct {
	params struct {
		LabelInfo []struct {
			Name string `json:"name"`
		} `json:"label_info"`
		Client    string `json:"client_id"`
		Slices    string `json:"slices"`
		Extension string `json:"result_extension"`
		Meta      struct {
			Status  string `json:"status"`
			Comment string `json:"comment"`
		} `json:"segmentationMeta"`
	}
	file string // "" without one
}

// uploads are the endings of files that are read, longer ones first.
var uploads = []string{".seg.nrrd", ".nii.gz", ".nii", ".nrrd", ".mha"}

// readForm reads a request; its file, of at most so many bytes, goes to dir under a name of its own with the ending that it came with.
func readForm(w http.ResponseWriter, r *http.Request, dir string, most int64) (f form, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, most+maxJSON)
	defer func() {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			err = problem{http.StatusRequestEntityTooLarge, "the file is larger than a mask of this image can be"}
		}
	}()
	parts, err := r.MultipartReader()
	if err != nil {
		return f, problem{http.StatusBadRequest, "send params and the file as multipart/form-data"}
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return f, unreadable(err)
		}
		switch name := fileName(part); {
		case name != "" && dir != "" && f.file == "":
			if f.file, err = receive(part, dir, name); err != nil {
				return f, unreadable(err)
			}
		case name == "" && part.FormName() == "params":
			text, err := io.ReadAll(io.LimitReader(part, maxJSON))
			if err != nil {
				return f, unreadable(err)
			}
			if err := json.Unmarshal(text, &f.params); err != nil {
				return f, problem{http.StatusBadRequest, "params is no JSON object of the protocol"}
			}
		}
	}
}

// unreadable is a request that breaks off or is none.
func unreadable(err error) error {
	_, large := errors.AsType[*http.MaxBytesError](err)
	if _, known := errors.AsType[problem](err); large || known {
		return err
	}
	return problem{http.StatusBadRequest, "the request cannot be read: " + err.Error()}
}

// fileName returns the name of a part's file without folders, which clients on Windows send with backslashes.
func fileName(part *multipart.Part) string {
	name := part.FileName()
	return name[strings.LastIndexAny(name, `/\`)+1:]
}

func receive(part io.Reader, dir, name string) (string, error) {
	i := slices.IndexFunc(uploads, func(end string) bool { return strings.HasSuffix(strings.ToLower(name), end) })
	if i < 0 {
		return "", problem{http.StatusUnsupportedMediaType, fmt.Sprintf("%s is no kind of file that is read: send %s", name, strings.Join(uploads, ", "))}
	}
	path := filepath.Join(dir, "upload"+uploads[i])
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	defer file.Close()
	if _, err := io.Copy(file, part); err != nil {
		return "", err
	}
	return path, file.Close()
}

// submit stores a person's mask of a case.
func (h *Handler) submit(w http.ResponseWriter, r *http.Request) error {
	name, err := h.caseOf(r, "image")
	if err != nil {
		return err
	}
	switch tag := r.URL.Query().Get("tag"); {
	case tag == "", tag == tagFinal, strings.HasPrefix(tag, "version_"): // versions are kept of themselves
	default:
		return problem{http.StatusBadRequest, "labels of people have the tag final"}
	}
	if _, err := h.who(r, ""); err != nil { // before anything is received
		return err
	}
	done, err := h.turn(r.Context())
	if err != nil {
		return err
	}
	defer done()
	dir, remove, err := tempdir.Make("slicer")
	if err != nil {
		return err
	}
	defer remove()
	grid, err := h.project.Cases.Grid(name)
	if err != nil {
		return err
	}
	in, err := readForm(w, r, dir, 9*int64(grid.Len())+1<<20) // 8 bytes a voxel, uncompressed, and a header
	if err != nil {
		return err
	}
	if in.file == "" {
		return problem{http.StatusBadRequest, "the request has no file of a label"}
	}
	who, err := h.who(r, in.params.Client)
	if err != nil {
		return err
	}
	s, err := h.project.Dashboard.Summary(r.Context())
	if err != nil {
		return err
	}
	given, err := h.sampleOf(r, who, name)
	if err != nil {
		return err
	}
	var names []string
	all := given.all || in.params.Slices == everySlice || r.URL.Query().Get("slices") == everySlice
	for _, l := range in.params.LabelInfo {
		if l.Name == "background" || strings.HasSuffix(l.Name, "_scribbles") { // they are not in the mask, whatever idx says
			continue
		}
		names = append(names, l.Name)
		all = all || strings.EqualFold(l.Name, AllSlices)
	}
	mask, err := readMask(in.file, grid, names, classes(s))
	if err != nil {
		return err
	}
	if len(given.Slices) == 0 && !all {
		return problem{http.StatusConflict, "no slice of " + name + " is asked of you: press Next Sample first, or add an empty segment " + AllSlices + " to submit all slices"}
	}
	saved, after, err := h.project.Labels.SaveSample(r.Context(), who, given.Sample, mask, all)
	if err != nil {
		return err
	}
	h.submitted(who.Name, after)
	return reply(w, http.StatusOK, object{{"image", name}, {"label", name}, {"slices", append([]int{}, saved...)}, {"description", told(len(saved), name)}})
}

func told(slices int, name string) string {
	if slices == 1 {
		return "1 slice of " + name + " is labelled"
	}
	return fmt.Sprintf("%d slices of %s are labelled", slices, name)
}

// submitted forgets which slices a person was asked for, and remembers what they know of the case's labels: they may submit it again.
func (h *Handler) submitted(person string, after *annotate.Sample) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remember(person, &sample{Sample: after})
	if h.current[person] == after.Case {
		delete(h.current, person)
	}
}

// readMask reads a client's mask and returns it with the project's classes. Value k is that of the k-th name, whatever index the client
// gave it; without names, of the k-th class. In a file that names its segments, their names count.
func readMask(path string, grid volume.Grid, names []string, classes []annotate.Class) (*volume.Mask, error) {
	invalid := func(format string, args ...any) error {
		return problem{http.StatusUnprocessableEntity, fmt.Sprintf(format, args...)}
	}
	if head, err := volume.ReadHeader(path); err == nil && head.Grid.Len() > grid.Len() {
		return nil, invalid("the mask has %v voxels, the image %v", head.Grid.Size, grid.Size)
	}
	var mask *volume.Mask
	if strings.HasSuffix(path, ".seg.nrrd") {
		s, err := volume.ReadSegmentation(path)
		if err != nil {
			return nil, invalid("the mask cannot be read: %v", err)
		}
		s.Segments = slices.DeleteFunc(s.Segments, func(one volume.Segment) bool { return isMark(one.Name) }) // the frame may lie over others
		all := []string(nil)
		if mask, all, err = s.Mask(); err != nil {
			return nil, invalid("%v", err)
		}
		names = all[1:]
	} else {
		m, err := volume.ReadMask(path)
		if err != nil {
			return nil, invalid("the mask cannot be read: %v", err)
		}
		mask = m
	}
	var known []string
	for _, c := range classes {
		known = append(known, c.Name)
	}
	if len(names) == 0 {
		names = known
	}
	const nothing = math.MaxUint8 + 1
	to := make([]int, math.MaxUint8+1)
	for v := range to {
		if to[v] = nothing; v == 0 {
			to[v] = 0
		}
		if v == 0 || v > len(names) {
			continue
		}
		name := names[v-1]
		if isMark(name) {
			to[v] = 0
		}
		for _, c := range classes {
			if c.Name == name {
				to[v] = c.Value
			}
		}
	}
	out := &volume.Mask{Grid: mask.Grid, Data: make([]uint8, len(mask.Data))}
	for i, v := range mask.Data {
		switch {
		case to[v] < nothing:
			out.Data[i] = uint8(to[v])
		case int(v) > len(names):
			return nil, invalid("the mask has voxels of the value %d, and names %d segments", v, len(names))
		default:
			return nil, invalid("the segment %q is no class of the project, which are %s", names[v-1], strings.Join(known, ", "))
		}
	}
	return out, nil
}

// isMark reports whether a segment says something of the mask, and is no class.
func isMark(name string) bool {
	return strings.EqualFold(name, Frame) || strings.EqualFold(name, AllSlices)
}

// review takes what the Reviewer extension says of a case for a review of all of its labels, in the versions that the person has loaded last. The
// extension knows no single labels: that a case is approved settles what was to be discussed of it.
func (h *Handler) review(w http.ResponseWriter, r *http.Request) error {
	name, err := h.caseOf(r, "label")
	if err != nil {
		return err
	}
	var in form
	r.Body = http.MaxBytesReader(w, r.Body, maxJSON)
	if err := r.ParseForm(); err != nil || json.Unmarshal([]byte(r.Form.Get("params")), &in.params) != nil {
		return problem{http.StatusBadRequest, "send params, a JSON object, as a form"}
	}
	who, err := h.who(r, in.params.Client)
	if err != nil {
		return err
	}
	status := map[string]string{"approved": annotate.ReviewAccepted, "flagged": annotate.ReviewDiscuss}[in.params.Meta.Status]
	if status == "" {
		return problem{http.StatusUnprocessableEntity, "status: want approved or flagged"}
	}
	loaded := h.versionsShown(shownTo(r, who, name))
	j := annotate.Judgement{Status: status, Note: in.params.Meta.Comment, Shown: loaded, Settles: status == annotate.ReviewAccepted}
	if loaded == nil {
		j.Shown = map[string]int{} // none, where nil would be all
	}
	if _, err := h.project.Reviews.Case(r.Context(), who, name, j); loaded == nil && errors.Is(err, annotate.ErrConflict) {
		return problem{http.StatusConflict, "which labels of " + name + " you have seen is not known, as after a start of the server: load them again, and review what they are now"}
	} else if err != nil {
		return err
	}
	return reply(w, http.StatusOK, object{{"label", name}})
}
