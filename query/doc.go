// Package query holds the query strategies: the rules that pick which unlabelled items to label next.
//
// It is pure: no files, no tensors, no state. A strategy sees the unlabelled items as numbers 0 to N-1 and asks the
// pool for what it needs: scores, feature vectors, positions. Package model computes these with a trained network.
//
// # Vocabulary
//
//   - Item: what a person labels, here one 2D slice of a case.
//   - Score: one number per item; higher = label sooner, always.
//   - Strategy: picks items. Selector: a strategy that picks by a score, any score.
//   - Needs: what a strategy asks of a pool, declared as data. What is declared arrives, and nothing else is computed.
//   - Query size B: how many items to pick. N: how many are unlabelled.
//   - Batch: only in the name stochastic batches, where it means B items that are drawn and judged together.
//
// # Flow
//
//  1. A person names a strategy: "entropy+sb". [Parse] makes a [Spec] of it; [List] has all names. [Split] takes a
//     name apart for tables and figures.
//  2. The caller trains a network and wraps the unlabelled items in a [Pool] that offers what the strategy's [Needs]
//     declare; its Score function computes what Spec.Score says. Nothing is computed yet.
//  3. Spec.Strategy.Select picks B items. It draws from the random stream it is given and calls Score at most once,
//     with the items that it needs scored and no others.
//  4. The caller has the items of the [Selection] labelled, and the next cycle begins.
//
// Scores that were computed elsewhere come in by [ReadScores] and are used with a selector alone, see
// [ParseSelector]. To add a strategy, see docs/how-to/add-a-strategy.md; package querytest checks it.
package query
