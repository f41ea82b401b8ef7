// Package stats turns learning curves into numbers that can be compared, and says how sure the comparison is.
//
// The unit of test is the run: one strategy from one initial set. Strategies are compared paired by initial set.
//
//  1. A Run is a learning curve: a value, such as the test Dice, at each number of labelled items.
//  2. AULC, Final and LabelsToReach make one number of it; Describe summarises the runs of a strategy.
//  3. Compare pairs the runs of two strategies and returns the mean difference, a bootstrap interval, and the exact
//     sign-flip and Wilcoxon signed-rank tests. Holm corrects the p-values of a whole table.
//  4. PairwiseWins is the table of who beats whom at how many budgets.
//
// What makes a result weak is a Warning in the result, never a silent choice: too few sets for any p below 0.05, sets
// that one strategy lacks, cycles that are missing. Every function is deterministic but for the random stream it is
// given.
//
// # Words
//
//   - A set is an initial set: the items that are labelled from the start. Runs of two strategies from one set are a pair.
//   - AULC is the area under the learning curve divided by its range of labels: the mean performance over the budget.
//   - A difference is that of two runs of a pair, a - b.
package stats
