//go:build !linux

package annotate

// lowerPriority does nothing where threads have no priority of their own: there give the training fewer threads.
func lowerPriority() {}
