// Package experiment runs what package record describes: strategies × initial sets × recipes, several at the same time, each
// the loop of package active with the data set's own masks as the oracle. It is the place that wires data, networks,
// strategies and engines together; it draws nothing and prints nothing.
//
//  1. [Run] loads the data, takes over what records hold already, and trains the networks of cycle 0, which units share.
//  2. Then the units run, each on an engine of its own, and record every cycle as it is finished.
//  3. After an interruption Run with Options.Resume ends with the same records as a run that was not interrupted.
//
// [TrainModel] is a single training on all labelled cases.
package experiment
