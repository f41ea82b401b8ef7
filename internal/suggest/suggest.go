// Package suggest finds the known word that a person may have meant.
package suggest

// Nearest returns the known word with the fewest edits from word, the first of several, or "" if all take more than edits.
// An edit inserts, deletes or replaces one byte (Levenshtein 1966, "Binary codes capable of correcting deletions, insertions,
// and reversals", Soviet Physics Doklady 10(8)).
func Nearest(word string, known []string, edits int) string {
	best := ""
	for _, k := range known {
		if d := distance(word, k); d <= edits {
			best, edits = k, d-1
		}
	}
	return best
}

// distance returns the least number of edits between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1) // distances from the first i bytes of a to the first j bytes of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
