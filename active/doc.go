// Package active is the active-learning loop: its steps, its random streams, and the run of a simulation made of them.
//
// # Words
//
//   - An item is what a person labels at once: here one 2D slice of a case.
//   - The pool is all training items. Each is labelled or unlabelled; an item never goes back to unlabelled.
//   - A query is the set of items whose labels are asked for next. A query strategy (package query) chooses it.
//   - The oracle answers a query. In a simulation it is a set of masks that were hidden until then, in real use a
//     person.
//   - A cycle is: train, evaluate, score, query, label. Cycle 0 trains on the initial set. The last cycle only trains
//     and evaluates, because no model would see the labels that it asked for.
//   - The query size is the number of items per cycle, the budget what all queries may cost together.
//
// # The flow
//
//  1. [Loop.Run] trains a [Learner] on the labelled items and evaluates it;
//  2. the query strategy scores the unlabelled items by the learner's [query.Pool] and selects some of them;
//  3. the [Oracle] labels them, and the pool takes them over;
//  4. the [Recorder] gets the finished [Cycle], and the next one begins.
//
// Where people answer (package annotate), a query may take days and the project outlives the program, so that there is no
// Loop: they are asked by the same steps, [Draw] for the initial set and [Pick] for a query, with the same [Streams]. With
// the same seed and the same answers they are asked for the same items.
//
// The package knows items by number and by name, and nothing of images or networks. A loop that was interrupted is
// continued by handing it the cycles that were recorded ([Loop.Done]): it repeats none of them.
package active
