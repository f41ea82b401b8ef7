package worklist

import (
	"fmt"
	"slices"

	"github.com/nextslice/nextslice/query"
)

// selectFrom lets the strategy select. With PerCase a strategy that sees items together obeys the limit itself. Of others a case keeps its first picks, as many as it may have, and the others are
// picked anew from what is left, where what stays counts as labelled.
func (q *run) selectFrom(pool query.Pool) (all query.Selection, err error) {
	pool = remembered(pool)
	size := min(q.Size, pool.N)
	if most := q.mostPicks(); most < size {
		q.notice(fmt.Sprintf("the cases that are left have %d slices with %d of each at most: so many are picked, not %d", most, q.PerCase, size))
		size = most
	}
	if q.PerCase > 0 {
		pool.Limit.Most = q.PerCase
		for _, c := range q.candidates {
			pool.Limit.Groups = append(pool.Limit.Groups, c.index)
		}
	}
	for rng := q.streams().stream("picks", q.Only, q.Exclude); len(all.Items) < size; {
		left := q.left(pool.N, all.Items)
		s, err := q.spec.Strategy.Select(part(pool, left, all.Items), min(size-len(all.Items), len(left)), rng)
		if err != nil {
			return all, err
		}
		for n, at := range s.Items {
			s.Items[n] = left[at]
		}
		q.take(&all, s, size)
	}
	return all, nil
}

// take adds picks, in their order, as far as their cases may have more of them, up to so many in all.
func (q *run) take(all *query.Selection, picks query.Selection, size int) {
	all.Scored = max(all.Scored, picks.Scored)
	count := q.perCase(all.Items)
	for n, i := range picks.Items {
		of := q.candidates[i].index
		if len(all.Items) == size || q.PerCase > 0 && count[of] == q.PerCase {
			continue
		}
		count[of]++
		all.Items, all.Scores = append(all.Items, i), append(all.Scores, picks.Scores[n])
	}
}

// left returns the items that are not taken, of cases that may have more.
func (q *run) left(n int, taken []int) (left []int) {
	count := q.perCase(taken)
	for i := range n {
		if !slices.Contains(taken, i) && (q.PerCase == 0 || count[q.candidates[i].index] < q.PerCase) {
			left = append(left, i)
		}
	}
	return left
}

// perCase counts items by case.
func (q *run) perCase(items []int) map[int]int {
	count := map[int]int{}
	for _, i := range items {
		count[q.candidates[i].index]++
	}
	return count
}

// mostPicks is how many candidates may be picked in all.
func (q *run) mostPicks() int {
	if q.PerCase == 0 {
		return len(q.candidates)
	}
	most, count := 0, map[int]int{}
	for _, c := range q.candidates {
		if count[c.index]++; count[c.index] <= q.PerCase {
			most++
		}
	}
	return most
}
