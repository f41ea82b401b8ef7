// Package report makes tables, figures and a page of what experiments recorded: which query strategy saves labels, and
// how sure that is.
//
//  1. Read takes run folders, or the records exported from them (package record), and joins those of one experiment.
//  2. Analyse summarises each strategy and compares strategies paired by initial set, with the tests of package stats.
//  3. A Report writes itself: WriteText for a terminal, Write for a folder of tables, figures and one page.
//  4. Source.Learning is the outcome at a glance, which simulate prints and draws when it ends.
//  5. Source.Export keeps the record of an experiment, small enough to be committed.
//
// Package report/table writes tables in every format, package report/figure draws figures; their contents are made here.
//
// # Words
//
//   - A run is one strategy from one initial set with one training recipe. It is the unit of every test.
//   - A recipe is a point of the grid of training hyper-parameters. A Group reports one recipe, or all of them together;
//     then the mean over recipes is the value of an initial set.
//   - A family is the strategies that rank by the same score: entropy, entropy+sb, entropy+power.
//   - The ceiling is what trainings on all slices of the pool reach. It is in no comparison and no mean.
//   - Cost is what there was to outline on the slices that were asked for.
//   - A comparison is a difference A - B with an interval and two exact tests. Those that answer one question on one
//     number share a table and are corrected together.
//
// A report is a pure function of the records: the same records make the same bytes.
package report
