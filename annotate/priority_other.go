//go:build !linux

package annotate

// lowerPriority does nothing where threads have no priority: there give the training fewer threads.
func lowerPriority() {}
