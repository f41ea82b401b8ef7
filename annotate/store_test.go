package annotate

import "github.com/nextslice/nextslice/annotate/store"

// Store gives tests the records.
func (p *Project) Store() *store.Store { return p.store }
