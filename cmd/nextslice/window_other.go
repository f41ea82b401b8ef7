//go:build !windows

package main

// ownWindow tells whether the program was started by a double click, without a terminal that stays: elsewhere there is nothing to see then.
func ownWindow() bool { return false }

func keepWindow() {}
