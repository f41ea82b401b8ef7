//go:build unix

package fuzztest

import (
	"syscall"
	"time"
)

// clock is the time that the processors have worked for this process.
func clock() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic("fuzztest: " + err.Error())
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
