package annotate

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nextslice/nextslice/internal/contents"

	"github.com/nextslice/nextslice/annotate/fault"
	"github.com/nextslice/nextslice/annotate/store"
)

// dataEvery is how often a project that is served looks at its data and its copies.
var dataEvery = time.Hour

// watch compares the data's files with what they were when a case was first served. A file is known by its place in the data folder, wherever that is and
// however it is spelled. Other bytes under the labels are reported as long as they are there; nothing is changed. A file that was never noted is another one if a
// noted one of its case is no longer read, in whose place it stands, and has other bytes. Bytes are read only where sizes or times have changed.
func (c *Cases) watch(ctx context.Context, s *store.Store) error {
	before, err := s.Seen(ctx)
	if err != nil {
		return err
	}
	for _, one := range c.set.Cases {
		var places []string
		for _, file := range c.files[one.ID] {
			places = append(places, c.placeOf(file))
		}
		noted, gone := sortSeen(before[one.ID], places)
		news, changed := map[string]contents.Seen{}, []string{}
		for i, file := range c.files[one.ID] {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			were := noted[places[i]]
			last, looked := c.looked[file]
			if !looked && len(were) > 0 {
				last = were[0]
			}
			now, _, err := last.Now(file)
			if err != nil { // it is reported where it is read
				continue
			}
			c.looked[file] = now
			other := func(was contents.Seen) bool { return was.SHA256 != now.SHA256 }
			switch {
			case slices.ContainsFunc(were, other), len(were) == 0 && len(gone) > 0 && !slices.ContainsFunc(gone, func(was contents.Seen) bool { return !other(was) }):
				changed = append(changed, file)
			case before[one.ID][places[i]] != now:
				news[places[i]] = now
			}
		}
		err := error(nil)
		if len(changed) > 0 {
			err = fmt.Errorf("%s: %s is another file than when the case was first labelled: put the old one back, or, if the labels still fit, take the new one for right with nextslice project repair",
				one.ID, strings.Join(changed, ", "))
			err = fault.With(err, fault.DataChanged, "case", one.ID, "text", strings.Join(changed, ", "))
		}
		c.events.lasts("data of "+one.ID, err)
		if len(news) > 0 {
			if err := s.NoteSeen(ctx, one.ID, news); err != nil {
				return err
			}
		}
	}
	return nil
}

// placeOf returns what a file of the data is noted by: "./" and its path from the data folder, with slashes.
func (c *Cases) placeOf(file string) string {
	dir, err := filepath.Abs(c.set.Dir)
	if err == nil {
		if whole, err := filepath.Abs(file); err == nil {
			if inside, err := filepath.Rel(dir, whole); err == nil {
				file = inside
			}
		}
	}
	return "./" + filepath.ToSlash(file)
}

// sortSeen sorts what is noted of a case by the places of the files that it is read from now; gone is what is noted of others. Older programs noted the
// paths that they were given, without "./": one is of the longest place that it ends with, which may have several such notes.
func sortSeen(notes map[string]contents.Seen, places []string) (noted map[string][]contents.Seen, gone []contents.Seen) {
	noted = map[string][]contents.Seen{}
	byName := map[string][]string{}
	for _, place := range places {
		byName[path.Base(place)] = append(byName[path.Base(place)], place)
		if seen, known := notes[place]; known {
			noted[place] = []contents.Seen{seen}
		}
	}
	for file, seen := range notes {
		file = strings.ReplaceAll(file, `\`, "/")
		of := ""
		for _, place := range byName[path.Base(file)] {
			if strings.HasSuffix("/"+file, place[1:]) && len(place) > len(of) {
				of = place
			}
		}
		switch _, known := notes[of]; {
		case strings.HasPrefix(file, "./") && file != of, of == "":
			gone = append(gone, seen)
		case !known:
			noted[of] = append(noted[of], seen)
		}
	}
	return noted, gone
}
