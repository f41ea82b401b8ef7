package pacs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/internal/syserr"
	"github.com/nextslice/nextslice/volume/dicom"
)

// maxFile bounds a file that a server sends.
const maxFile = 4 << 30

// noImages are the modalities of what is drawn on or written about images.
var noImages = strings.Fields("SEG SR PR KO RTSTRUCT RTPLAN RTDOSE RTRECORD REG DOC PLAN FID RWV AU ECG EPS HD STAIN ANN M3D OPT")

// IsImage reports whether a series is one of images, by its modality.
func (s Series) IsImage() bool { return !slices.Contains(noImages, strings.ToUpper(s.Modality)) }

// Selection is what of the series that were found is pulled.
type Selection struct {
	Series []Series
	Slices int // known, in all of them

	NoImages, Few, Known int       // left out: no images; too few slices; pulled before
	Changed              []Changed // of those that were pulled before
}

// Changed is a case whose series has another number of files on its server by now than were pulled: one that was still arriving, or of which some were deleted. It is not pulled
// again, since there may be labels on what is here.
type Changed struct {
	Case string
	Here int
	Now  int // on the server
}

func (c Changed) String() string {
	return fmt.Sprintf("%s has %d files, the server %d by now: move it away and pull again", c.Case, c.Here, c.Now)
}

// Short reports whether files of the series are not here.
func (c Changed) Short() bool { return c.Now > c.Here }

// changed compares a case with the files that a server has of its series, -1 where that is not known.
func (f *Folder) changed(one Case, now int) (c Changed, differs bool) {
	here := one.Instances
	if here == 0 { // a process was killed before it could note them
		files, _ := filepath.Glob(filepath.Join(f.path(one), "*.dcm"))
		here = len(files)
	}
	return Changed{one.Name, here, now}, now >= 0 && now != here
}

// Select leaves out what are no images, series of fewer than minSlices slices, and those that are there. Of these it tells which have changed on the server.
func (f *Folder) Select(ctx context.Context, c *Client, found []Series, minSlices int) (Selection, error) {
	var out Selection
	for _, s := range found {
		known := slices.IndexFunc(f.record.Cases, func(k Case) bool { return k.Series == s.UID && k.Study == s.Study && f.whole(k) })
		switch {
		case known >= 0:
			out.Known++
			now := s.Instances
			if now < 0 {
				now = c.countFiles(ctx, s.Study, s.UID)
			}
			if changed, differs := f.changed(f.record.Cases[known], now); differs {
				out.Changed = append(out.Changed, changed)
			}
			continue
		case !s.IsImage():
			out.NoImages++
			continue
		}
		n, err := c.slicesOf(ctx, s, minSlices)
		switch {
		case err != nil:
			return out, err
		case n < minSlices:
			out.Few++
			continue
		}
		out.Series = append(out.Series, s)
		out.Slices += n
	}
	return out, nil
}

// Pulled is what became of a series.
type Pulled struct {
	Case
	Bytes int64
	Err   error
}

// Pull retrieves series into a case each. A series is written to a hidden folder and gets its name when all its files have come and been checked;
// after three tries that fail it is left out and the next is pulled. progress, which may be nil, gets the files of the series so far. each
// gets what became of a series. The error is one that stops everything: of ctx, of the disk, or of the access.
func (f *Folder) Pull(ctx context.Context, c *Client, all []Series, progress func(series, files int), each func(Pulled)) error {
	for n, s := range all {
		at, err := f.reserve(c.Address(), s)
		if err != nil {
			return err
		}
		one := &f.record.Cases[at]
		if f.whole(*one) {
			continue
		}
		p := pull{client: c, series: s, dir: filepath.Join(f.Dir, ".pull-"+one.Name), progress: func(files int) {
			if progress != nil {
				progress(n, files)
			}
		}}
		err = c.try(ctx, func() error { return p.once(ctx) })
		if err == nil {
			err = f.finish(one, &p)
		}
		if err != nil {
			os.RemoveAll(p.dir)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if stops(err) {
				return err
			}
			err = fmt.Errorf("%s: %w", one.Name, err)
		}
		each(Pulled{*one, p.bytes, err})
	}
	return nil
}

// stops reports whether an error would befall every other series too.
func stops(err error) bool {
	code := status(err)
	return code == 401 || code == 403 || syserr.DiskFull(err) || errors.Is(err, os.ErrPermission)
}

// finish gives a series that has come its name.
func (f *Folder) finish(one *Case, p *pull) error {
	if err := os.Rename(p.dir, f.path(*one)); err != nil {
		return err
	}
	one.Server, one.Instances, one.Syntaxes = p.client.Address(), len(p.seen), p.syntaxes // an earlier try may have asked another server
	return f.save()
}

// pull is a series on its way.
type pull struct {
	client   *Client
	series   Series
	dir      string
	progress func(files int)

	seen     map[string]bool // SOP instance UIDs
	syntaxes map[string]int
	bytes    int64
}

// once retrieves the series from its beginning.
func (p *pull) once(ctx context.Context) error {
	p.seen, p.syntaxes, p.bytes = map[string]bool{}, map[string]int{}, 0
	if err := os.RemoveAll(p.dir); err != nil { // of a try before, or of a process that was killed
		return final(err)
	}
	if err := os.Mkdir(p.dir, 0o700); err != nil {
		return final(err)
	}
	err := p.client.Retrieve(ctx, p.series.Study, p.series.UID, p.file)
	if err != nil {
		return err
	}
	switch want := p.series.Instances; {
	case len(p.seen) == 0:
		return errors.New("the server sent no file of the series")
	case want >= 0 && len(p.seen) != want:
		return fmt.Errorf("%d files came of a series of %d", len(p.seen), want)
	}
	return nil
}

// file writes one of the files, and checks that it is of the series.
func (p *pull) file(from io.Reader) error {
	path := filepath.Join(p.dir, fmt.Sprintf("%04d.dcm", len(p.seen)+1)) // nothing of the server is in a name
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return final(err)
	}
	n, err := io.Copy(to, io.LimitReader(from, maxFile+1))
	if err == nil && n > maxFile {
		err = final(fmt.Errorf("a file of more than %d bytes", int64(maxFile)))
	}
	if err == nil {
		err = to.Sync()
	}
	if closed := to.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	p.bytes += n
	head, err := dicom.ReadHead(path)
	switch {
	case err != nil:
		return errors.New("a file came that is damaged or no DICOM")
	case head.Study != p.series.Study || head.Series != p.series.UID:
		return errors.New("the server sent a file of another series")
	case head.Instance == "" || p.seen[head.Instance]:
		return errors.New("the server sent a file twice, or one without a UID")
	}
	p.seen[head.Instance] = true
	p.syntaxes[head.Syntax]++ // of what came, whatever was asked for
	p.progress(len(p.seen))
	return nil
}
