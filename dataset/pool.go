package dataset

import "fmt"

// Pool knows which of the items of NewPool, 0 … n-1, are labelled. A labelled item never becomes unlabelled again. A pool is not
// safe for concurrent use.
type Pool struct {
	labelled []bool
	count    int // of labelled items
}

// NewPool returns a pool of n unlabelled items. It panics if n is negative.
func NewPool(n int) *Pool {
	if n < 0 {
		panic(fmt.Sprintf("dataset: NewPool: %d items", n))
	}
	return &Pool{labelled: make([]bool, n)}
}

// Labelled returns the labelled items in increasing order, as a new slice.
func (p *Pool) Labelled() []int { return p.list(true, p.count) }

// Unlabelled returns the unlabelled items in increasing order, as a new slice.
func (p *Pool) Unlabelled() []int { return p.list(false, len(p.labelled)-p.count) }

func (p *Pool) list(labelled bool, n int) []int {
	items := make([]int, 0, n)
	for i, is := range p.labelled {
		if is == labelled {
			items = append(items, i)
		}
	}
	return items
}

// Add marks items as labelled. Where one is out of range, labelled already or given twice, it returns an error that
// names it and changes nothing.
func (p *Pool) Add(items []int) error {
	for n, i := range items {
		var fault string
		switch {
		case i < 0 || i >= len(p.labelled):
			fault = fmt.Sprintf("is not in the pool of %d items", len(p.labelled))
		case p.labelled[i]:
			fault = "is labelled already"
		default:
			p.labelled[i] = true
			continue
		}
		for _, done := range items[:n] {
			p.labelled[done] = false
		}
		return fmt.Errorf("add to the labelled items: item %d %s", i, fault)
	}
	p.count += len(items)
	return nil
}
