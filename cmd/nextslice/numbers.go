package main

import (
	"fmt"
	"strconv"
)

// labelValue is a flag's label value in masks, 1 to 255; 0 is none.
type labelValue int

func (v *labelValue) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || strconv.Itoa(n) != string(text) || n < 0 || n > 255 {
		return fmt.Errorf("want a label value from 1 to 255, or 0 for none, got %q", text)
	}
	*v = labelValue(n)
	return nil
}

// threadCount is a flag's number of threads; 0 is all cores.
type threadCount int

func (c *threadCount) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || strconv.Itoa(n) != string(text) || n < 0 {
		return fmt.Errorf("want a number of threads, or 0 for all cores, got %q", text)
	}
	*c = threadCount(n)
	return nil
}
