// Package record is an experiment on disk: what was asked for, and what came of it. It knows no network and draws nothing:
// package experiment carries out what is described here, package report makes tables and figures of it.
//
//  1. A [Config] is what a configuration file says, with defaults and the preset filled in; [ReadConfig] reads it.
//  2. Its [Config.Units] are the runs: every strategy from every initial set with every recipe of the grid.
//  3. A [Folder] is the run folder in which units record their cycles, timings and last predictions. [CreateFolder] makes
//     one or goes on with it, and refuses one of another experiment; [OpenFolder] reads it.
//  4. An [Export] is the outcome in a form small enough to be committed: one row per run and cycle, without networks and
//     without the voxels or the single cases of every cycle. [Read] makes it of a run folder, [Export.Write] writes it.
//
// An exported record is a folder with
//
//	config.yaml   the experiment's configuration, as in its run folder
//	data.json     which cases were used for what
//	env.json      what the runs were made with
//	cycles.csv    the rows
//	slices.csv    what there is to outline on the slices of the pool; older records have none
//
// Numbers are written so that they read back as the same float64: a report drawn from an exported record is the report of
// the run folders behind it.
//
// # Words
//
//   - A unit, or run, is one strategy from one initial set with one recipe.
//   - A recipe is a point of the grid: what it changes in the hyper-parameters of the training (package train/recipe).
//   - A cycle is train, evaluate, score, query, label; cycle 0 trains on the initial set.
package record
