// Package quickselect finds the n-th smallest of some values without sorting all of them.
package quickselect

import "cmp"

// Nth reorders x so that x[n] is what it would be if x were sorted, with nothing greater before it and nothing smaller
// behind it (Hoare's selection, with the middle element as pivot). It takes linear time on average, also where most
// values are equal: both scans stop at values equal to the pivot. The same values in the same order are always
// reordered alike. NaN among them give an undefined order; an n out of range panics unless x is empty.
func Nth[T cmp.Ordered](x []T, n int) {
	if len(x) > 0 {
		_ = x[n]
	}
	low, high := 0, len(x)-1
	for low < high {
		pivot := x[low+(high-low)/2]
		i, j := low, high
		for i <= j {
			for x[i] < pivot {
				i++
			}
			for x[j] > pivot {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i, j = i+1, j-1
			}
		}
		// Now x[low..j] ≤ pivot ≤ x[i..high]; n is in one of them or between.
		switch {
		case n <= j:
			high = j
		case n >= i:
			low = i
		default:
			return
		}
	}
}
