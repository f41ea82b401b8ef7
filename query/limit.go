package query

// Limit is how many items a query may pick of each group, such as the slices of a case. The strategies that see items together and no labelled ones (badge, usim, suggestive-annotation,
// batchbald one by one) obey it themselves, for what they have picked tells what they pick next; to others it is nothing.
type Limit struct {
	Groups []int // of each item, N long
	Most   int   // 1 or more; 0 = no limit
}

// closing follows the picks of a query under a limit.
type closing struct {
	Limit
	count map[int]int
}

func (p Pool) closing() closing { return closing{p.Limit, map[int]int{}} }

// by returns the items that cannot be picked any more once an item is: itself, and all of its group when that has given as many as it may.
func (c closing) by(pick int) []int {
	if c.Most == 0 {
		return []int{pick}
	}
	group := c.Groups[pick]
	if c.count[group]++; c.count[group] < c.Most {
		return []int{pick}
	}
	var all []int
	for i, g := range c.Groups {
		if g == group {
			all = append(all, i)
		}
	}
	return all
}
