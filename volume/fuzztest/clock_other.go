//go:build !unix

package fuzztest

import "time"

var begin = time.Now()

func clock() time.Duration { return time.Since(begin) }
