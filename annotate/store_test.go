package annotate

import (
	"time"

	"github.com/nextslice/nextslice/annotate/store"
)

// Store gives tests the records.
func (p *Project) Store() *store.Store { return p.store }

// DataEvery sets how often data and copies are looked at, until end is called.
func DataEvery(d time.Duration) (end func()) {
	before := dataEvery
	dataEvery = d
	return func() { dataEvery = before }
}
