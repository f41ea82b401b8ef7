package monailabel

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/internal/tempdir"
	"github.com/nextslice/nextslice/volume"
)

// Tags of labels.
const (
	tagFinal    = "final"    // what people have labelled
	tagOriginal = "original" // what a person begins with; clients load it with the image
)

// datastore lists the cases with their labels.
func (h *Handler) datastore(w http.ResponseWriter, r *http.Request) error {
	who, err := h.who(r, "")
	if err != nil {
		return err
	}
	s, err := h.project.Dashboard.Summary(r.Context())
	if err != nil {
		return err
	}
	switch output := r.URL.Query().Get("output"); output {
	case "", "stats":
		counts, err := h.counts(r.Context(), s)
		if err != nil {
			return err
		}
		return reply(w, http.StatusOK, counts)
	case "all":
	default:
		return problem{http.StatusBadRequest, "output: want all, or nothing for the numbers; paths of the server are not told"}
	}
	reviewed, err := h.project.Reviews.Cases(r.Context(), who)
	if err != nil {
		return err
	}
	objects := object{}
	for _, name := range h.project.Cases.Names() {
		labels := object{{tagOriginal, labelOf(object{
			{"name", imageName(name)}, {"params", object{{"label_names", beginNames(s)}}},
		})}}
		if i := slices.IndexFunc(reviewed, func(c annotate.ReviewedCase) bool { return c.Case == name }); i >= 0 {
			info, err := h.finalInfo(r, who, s, reviewed[i])
			if err != nil {
				return err
			}
			labels = append(labels, field{tagFinal, labelOf(info)})
		}
		objects = append(objects, field{name, object{{"image", labelOf(object{{"name", imageName(name)}})}, {"labels", labels}}})
	}
	return reply(w, http.StatusOK, object{{"name", s.Name}, {"description", "cases of nextslice"}, {"images_dir", "."}, {"labels_dir", "labels"}, {"objects", objects}})
}

func labelOf(info object) object { return object{{"ext", ".nii.gz"}, {"info", info}} }

// beginNames are the segments of the label that a person begins with, in the order of their values.
func beginNames(s annotate.Summary) object {
	return append(numbers(classes(s)), field{Frame, len(classes(s)) + 1})
}

// finalInfo describes the labels of a case, and their review as the Reviewer extension shows it.
func (h *Handler) finalInfo(r *http.Request, who annotate.Person, s annotate.Summary, c annotate.ReviewedCase) (object, error) {
	var list []object
	for i, class := range classes(s) {
		list = append(list, object{{"name", class.Name}, {"idx", i + 1}})
	}
	info := object{{"name", imageName(c.Case)}, {"label_info", list}}
	items, err := h.project.Reviews.Items(r.Context(), who, c.Case)
	if err != nil {
		return nil, err
	}
	status, by, note, at := "", "", "", time.Time{}
	switch {
	case c.Accepted == c.Labelled:
		status = "approved"
	case c.Discuss+c.Rejected+c.Returned > 0:
		status = "flagged"
	}
	for _, i := range items {
		if i.Last != nil && i.Last.When.After(at) {
			by, note, at = i.Last.Who, i.Last.Note, i.Last.When
		}
	}
	if status != "" {
		info = append(info, field{"segmentationMeta", object{{"status", status}, {"approvedBy", by}, {"level", ""}, {"comment", note}, {"editTime", stamp(at)}}})
	}
	return info, nil
}

// labelled finds the case, the tag and the person of a request for a label, and the versions of the final ones by item.
func (h *Handler) labelled(r *http.Request) (name, tag string, who annotate.Person, s annotate.Summary, versions map[string]int, err error) {
	if name, err = h.caseOf(r, "label"); err != nil {
		return name, tag, who, s, nil, err
	}
	if who, err = h.who(r, ""); err != nil {
		return name, tag, who, s, nil, err
	}
	if tag = r.URL.Query().Get("tag"); tag == "" {
		tag = tagFinal
	}
	if tag == tagFinal {
		items, err := h.project.Reviews.Items(r.Context(), who, name)
		if err != nil {
			return name, tag, who, s, nil, err
		}
		if len(items) == 0 {
			return name, tag, who, s, nil, problem{http.StatusNotFound, "nothing of " + name + " is labelled yet"}
		}
		versions = map[string]int{}
		for _, i := range items {
			versions[i.Item] = i.Version
		}
	} else if tag != tagOriginal {
		return name, tag, who, s, nil, problem{http.StatusNotFound, "labels have the tags final and original"}
	}
	s, err = h.project.Dashboard.Summary(r.Context())
	return name, tag, who, s, versions, err
}

// label sends the label of a case.
func (h *Handler) label(w http.ResponseWriter, r *http.Request) error {
	name, tag, who, s, versions, err := h.labelled(r)
	if err != nil {
		return err
	}
	done, err := h.turn(r.Context())
	if err != nil {
		return err
	}
	defer done()
	given := &sample{Sample: &annotate.Sample{Case: name}}
	if tag == tagOriginal {
		if given, err = h.sampleOf(r, who, name); err != nil {
			return err
		}
	}
	known, err := h.project.Queue.Loaded(r.Context(), who, given.Sample)
	if err != nil {
		return err
	}
	given = &sample{known, given.all}
	var mask *volume.Mask
	if tag == tagFinal {
		if mask, err = h.project.Labels.Mask(r.Context(), who, name); err == nil {
			mask = numbered(mask, classes(s))
		}
	} else {
		mask, err = h.begin(r, who, given, classes(s))
	}
	if err != nil {
		return err
	}
	data, err := encoded(mask, ".nii.gz")
	if err != nil {
		return err
	}
	if r.Method != http.MethodHead { // which shows nothing
		h.loaded(who.Name, given)
		if tag == tagFinal {
			h.show(shownTo(r, who, name), versions)
		}
	}
	attach(w, imageName(name), int64(len(data)))
	_, _ = w.Write(data) // a client that has gone is nobody's fault
	return nil
}

// show remembers which versions of a case's labels were loaded: a review of the case counts for these.
func (h *Handler) show(s shown, versions map[string]int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.shown) >= mostGrants {
		clear(h.shown)
	}
	h.shown[s] = versions
}

// versionsShown returns the versions that were loaded last, nil where that is not remembered, as after a start of the server.
func (h *Handler) versionsShown(s shown) map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.shown[s]
}

// shownTo is a case as whoever makes a request has it. Who loads labels without a login gives no name, and is known by the machine.
func shownTo(r *http.Request, who annotate.Person, name string) shown {
	if r.Header.Get("Authorization") == "" {
		return shown{"", address(r), name}
	}
	return shown{who.Name, "", name}
}

// loaded remembers what a person knows who has loaded a label of a case. Who is asked for slices of it works on these: another label that they look at
// beside them changes nothing.
func (h *Handler) loaded(person string, s *sample) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := h.samples[person][s.Case]; now == nil || len(now.Slices) == 0 || slices.Equal(now.Slices, s.Slices) {
		h.remember(person, s)
	}
}

func (h *Handler) labelInfo(w http.ResponseWriter, r *http.Request) error {
	name, tag, who, s, _, err := h.labelled(r)
	if err != nil {
		return err
	}
	if tag == tagOriginal {
		return reply(w, http.StatusOK, object{{"name", imageName(name)}, {"params", object{{"label_names", beginNames(s)}}}})
	}
	reviewed, err := h.project.Reviews.Cases(r.Context(), who)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(reviewed, func(c annotate.ReviewedCase) bool { return c.Case == name })
	if i < 0 {
		return problem{http.StatusNotFound, "nothing of " + name + " is labelled yet"}
	}
	info, err := h.finalInfo(r, who, s, reviewed[i])
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, info)
}

// encoded returns a mask as a file with this extension.
func encoded(m *volume.Mask, extension string) ([]byte, error) {
	dir, remove, err := tempdir.Make("slicer")
	if err != nil {
		return nil, err
	}
	defer remove()
	path := filepath.Join(dir, "mask"+extension)
	if err := volume.WriteMask(path, m); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }
