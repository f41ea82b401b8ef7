// Package cluster runs an experiment on SLURM, by SLURM's own commands, or as tasks that any other scheduler starts.
//
//  1. [Prepare] makes the run folder and in it a plan, slurm/001: which units are missing, in which tasks they are run, with how
//     many threads and which instruction set, and the program itself. [Plan.Submit] hands it to SLURM as two job arrays.
//  2. [Plan.Run] is one task, the program that an element of an array starts: it runs its units, tells in slurm/001/task/ how far it is,
//     has itself requeued before a time limit, and stops when another attempt at the same units has begun.
//  3. [Look] tells what has become of every unit. What counts is what stands in the run folder; SLURM is asked about what is not
//     finished.
//
// # Words
//
//   - A unit is one run of active learning, a start a training of cycle 0 that units share; see package record.
//   - A task is the units that one process runs, one after the other or several at a time: an element of a job array.
//   - An attempt is one process that carries out a task. SLURM starts another after a node has failed, and now and then while the first still
//     lives: see record.Attempt.
//
// # The folder
//
//	slurm/001/plan.json            the plan
//	slurm/001/config.yaml          the experiment's configuration as it was planned
//	slurm/001/nextslice            the program
//	slurm/001/starts.sh, units.sh  the scripts of the job arrays
//	slurm/001/jobs.json            their ids
//	slurm/001/task/units-7.json    how far task 7 is: its attempt, state, unit, cycle, phase, error
//	slurm/001/log/units-12_7.log   what it said
//
// The folder is made by mkdir, which excludes a second submitter on every file system. Each file is written aside and renamed.
package cluster
