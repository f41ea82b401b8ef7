// Package nextslice tells a team which slices of their medical volumes to label next.
//
// Its method is that of Gaillochet, Desrosiers and Lombaert (2023): a segmentation network scores the slices that have
// no labels yet, and stochastic batches turn the scores into a query that is both informative and diverse.
//
// # The loop
//
// A network is trained on the labelled slices, evaluated, and asked for the score of each unlabelled one; a query
// strategy picks some of these; an oracle labels them; and so on. In a simulation the oracle is the data set's own masks,
// in use it is people. Package active holds the steps of this loop for both.
//
// # The packages, in the order in which data flows
//
//	volume        images and masks with their geometry, slices of them, what a path is; readers and writers, dicom
//	dataset       cases and items, folder layouts, the split, the pool; phantom makes synthetic volumes
//	preprocess    intensities, slices on a canvas, and the way back to the case's own grid
//	tensor        activations and the operations on them (Engine): ref in plain Go, native in C++, engines by name
//	nn            layers, optimisers, files; unet is the paper's network made of them, unet/torch has it on a GPU by PyTorch; vae is
//	              what VAAL trains; onnxruntime runs others' networks
//	train         one training; recipe holds the hyper-parameters and presets, as plain data
//	uncertainty   class probabilities → uncertainty map → one score per item
//	query         the names of strategies; scores or features → the items to label next; scores reads those of other programs
//	model         a trained network: its file, masks, measures, scores and features, its pool for a strategy
//	active        the steps of the loop, the cycle, and the named random streams
//	metrics       Dice, surface distances, calibration and other measures of masks; compare finds and compares masks on disk
//	stats         summaries and tests of learning curves
//	record        an experiment on disk: configuration, units, run folder, exported record; knows no network
//	experiment    runs what record describes
//	cluster       an experiment as tasks: SLURM's job arrays, what has become of each
//	report        every table, figure and page, from records alone
//	pacs          series from a PACS by DICOMweb, and segmentations back
//	worklist      which slices of a data set on disk to label next, for people who label elsewhere
//	annotate      people in place of hidden masks: the project, its store, server and page; 3D Slicer by monailabel
//	cmd/nextslice the command line, one file a command; internal/progress and internal/clidoc are what commands share
//
// Packages further down import those further up, never the other way; the test beside this file holds that. Measurements
// beside other programs are in internal/bench, the experiments that were run, with their records, in studies.
//
// # Where to look
//
//	the loop, on one screen               active/loop.go; the simulation around it: experiment/run.go
//	the paper's contribution              query/stochastic_batches.go
//	how a strategy is added               one file in query, see docs/how-to/add-a-strategy.md
//	where a recipe is set                 train/recipe/recipe.go and presets.yaml; trained by train/run.go
//	the network                           nn/unet/net.go; a training step: nn/unet/trainer.go
//	from a prediction to a mask           model/segment.go; to measures: model/evaluate.go
//	how a label is saved                  annotate/labels.go, annotate/store/labels.go
package nextslice
