package monailabel

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/internal/tempdir"
	"github.com/nextslice/nextslice/volume"
)

// images keeps the images that are sent as files, for their SHA-256 is told before they are asked for: without it Slicer takes a file of
// that name, which may be another patient's, from its cache.
type images struct {
	cases *annotate.Cases

	mu     sync.Mutex
	dir    string
	remove func()
	made   map[string]*imageFile
	used   []string // the newest at the end
	number int
}

type imageFile struct {
	path, sum string
	size      int64
	stamp     string // of the files that it was made from
}

// mostImages is how many files are kept.
const mostImages = 16

func newImages(c *annotate.Cases) *images { return &images{cases: c, made: map[string]*imageFile{}} }

func (i *images) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.remove != nil {
		i.remove()
		i.remove, i.made, i.used = nil, map[string]*imageFile{}, nil
	}
}

// open opens a case's image as NIfTI, of several channels the first. The file that was made once is sent as long as those that it was made
// from have the same size and time.
func (i *images) open(name string) (*os.File, imageFile, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	stamp, err := i.cases.Stamp(name)
	if err != nil {
		return nil, imageFile{}, err
	}
	one := i.made[name]
	if one == nil || one.stamp != stamp {
		if one, err = i.make(name, stamp); err != nil {
			return nil, imageFile{}, err
		}
	}
	i.used = append(slices.DeleteFunc(i.used, func(other string) bool { return other == name }), name)
	for len(i.used) > mostImages {
		os.Remove(i.made[i.used[0]].path)
		delete(i.made, i.used[0])
		i.used = i.used[1:]
	}
	file, err := os.Open(one.path)
	return file, *one, err
}

func (i *images) make(name, stamp string) (*imageFile, error) {
	v, err := i.cases.Channel(name, 0)
	if err != nil {
		return nil, err
	}
	if i.remove == nil {
		if i.dir, i.remove, err = tempdir.Make("slicer"); err != nil {
			return nil, err
		}
	}
	i.number++
	one := &imageFile{path: filepath.Join(i.dir, fmt.Sprintf("%d.nii.gz", i.number)), stamp: stamp}
	if err := volume.WriteVolume(one.path, v); err != nil {
		return nil, err
	}
	file, err := os.Open(one.path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	sum := sha256.New()
	if one.size, err = io.Copy(sum, file); err != nil {
		return nil, err
	}
	one.sum = "SHA256:" + hex.EncodeToString(sum.Sum(nil))
	if old := i.made[name]; old != nil {
		os.Remove(old.path)
	}
	i.made[name] = one
	return one, nil
}

// imageName is what a case's image is called: clients choose the format by it.
func imageName(name string) string { return annotate.FileName(name) + ".nii.gz" }

func (h *Handler) image(w http.ResponseWriter, r *http.Request) error {
	name, err := h.caseOf(r, "image")
	if err != nil {
		return err
	}
	if err := h.allowImage(r, name); err != nil {
		return err
	}
	file, one, err := h.images.open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if want := r.URL.Query().Get("check_sum"); want != "" && !strings.EqualFold(want, one.sum) {
		return problem{http.StatusNotFound, "the image has another checksum"}
	}
	attach(w, imageName(name), one.size)
	_, _ = io.Copy(w, file) // a client that has gone is nobody's fault
	return nil
}

func (h *Handler) imageInfo(w http.ResponseWriter, r *http.Request) error {
	name, err := h.caseOf(r, "image")
	if err != nil {
		return err
	}
	if _, err := h.who(r, ""); err != nil {
		return err
	}
	file, one, err := h.images.open(name)
	if err != nil {
		return err
	}
	file.Close()
	return reply(w, http.StatusOK, object{{"name", imageName(name)}, {"checksum", one.sum}})
}

// caseOf returns the case that a parameter of a request names.
func (h *Handler) caseOf(r *http.Request, parameter string) (string, error) {
	name := r.URL.Query().Get(parameter)
	if _, err := h.project.Cases.Grid(name); err != nil {
		return "", err
	}
	return name, nil
}

// attach writes the head of an answer with a file. Clients find its name only in quotes, or escaped where it is not ASCII.
func attach(w http.ResponseWriter, name string, size int64) {
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.Header().Set("Content-Disposition", "attachment; "+quoted(name))
	w.WriteHeader(http.StatusOK)
}

func quoted(name string) string {
	if strings.ContainsFunc(name, func(c rune) bool { return c > 126 }) {
		return "filename*=utf-8''" + url.PathEscape(name)
	}
	return `filename="` + strings.NewReplacer(`"`, "_", `\`, "_").Replace(name) + `"`
}
