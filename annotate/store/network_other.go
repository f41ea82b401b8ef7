//go:build !linux && !windows

package store

func networkFile(string) bool { return false }
