// Package uncertainty turns class probabilities into uncertainty maps and maps into one score per item.
package uncertainty
