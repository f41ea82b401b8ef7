package scores

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Part says which part of which query scores are: Number of Of, from 1, of the query with this digest. The zero value is that of scores that do not say so.
type Part struct {
	Number, Of int
	Query      string
}

// String returns the part as the column shard has it: "3/10".
func (p Part) String() string { return fmt.Sprintf("%d/%d", p.Number, p.Of) }

// parsePart reads the columns shard and query; both empty is no part.
func parsePart(shard, query string) (p Part, err error) {
	shard, query = strings.TrimSpace(shard), strings.TrimSpace(query)
	if shard == "" && query == "" {
		return p, nil
	}
	number, of, _ := strings.Cut(shard, "/")
	p.Query = query
	if p.Number, err = strconv.Atoi(number); err == nil {
		p.Of, err = strconv.Atoi(of)
	}
	if err != nil || p.Number < 1 || p.Of < p.Number || query == "" {
		return p, fmt.Errorf("want a shard such as 3/10 and its query, got %q and %q", shard, query)
	}
	return p, nil
}

// File is a list and the name of its file.
type File struct {
	Name string
	*List
}

// Join makes one list of several files, in their order. An id in two of them is an error. Scores that say which part of a query they are (see Part) are joined
// only if all are of one query, and if together they are its parts 1 … n, each of one file; scores that do not say so are joined as they are.
func Join(files []File) (*List, error) {
	if err := checkParts(files); err != nil {
		return nil, err
	}
	all, from := &List{}, map[string]string{}
	for _, f := range files {
		for i, id := range f.IDs {
			if before, twice := from[id]; twice {
				return nil, fmt.Errorf("%s: the id %q stands in %s too", f.Name, id, before)
			}
			from[id] = f.Name
			all.IDs, all.Values = append(all.IDs, id), append(all.Values, f.Values[i])
		}
	}
	return all, nil
}

func checkParts(files []File) error {
	if !slices.ContainsFunc(files, func(f File) bool { return slices.ContainsFunc(f.Parts, func(p Part) bool { return p != Part{} }) }) {
		return nil
	}
	var first Part
	of := "" // the file of the first part
	from := map[Part]string{}
	for _, f := range files {
		for _, p := range f.Parts {
			switch before, twice := from[p]; {
			case p == Part{}:
				return fmt.Errorf("%s has scores that do not say which shard of which query they are, and others do: give the files of one nextslice query --shard only", f.Name)
			case of == "":
				first, of = p, f.Name
			case p.Query != first.Query:
				return fmt.Errorf("%s and %s are of two queries, of other models, labels, images or options: score all shards by the same command", of, f.Name)
			case p.Of != first.Of:
				return fmt.Errorf("%s is shard %v and %s is shard %v: score all shards of one division", of, first, f.Name, p)
			case twice:
				return fmt.Errorf("%s and %s are both shard %v: give one of them", before, f.Name, p)
			}
			from[p] = f.Name
		}
	}
	var missing []string
	for n := range first.Of {
		p := first
		if p.Number = n + 1; from[p] == "" {
			missing = append(missing, p.String())
		}
	}
	if len(missing) > 0 {
		if len(missing) > 5 {
			missing = append(missing[:5], "…")
		}
		return fmt.Errorf("scores of shard %s are missing: run nextslice query --shard for each, and give its file too", strings.Join(missing, ", "))
	}
	return nil
}
