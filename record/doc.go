// Package record keeps the outcome of an experiment in a form small enough to be committed: one row per run and cycle,
// without networks and without the voxels or the single cases of every cycle.
//
// A record folder holds
//
//	config.yaml   the experiment's configuration, as in its run folder
//	data.json     which cases were used for what
//	env.json      what the runs were made with
//	cycles.csv    the rows
//
// Numbers are written so that they read back as the same float64: a report drawn from a record folder is the report of
// the run folders behind it.
package record
