// Package annotate is the real loop: people label, the model learns and asks for the next slices.
//
// # Words
//
//   - A project is a folder beside the data: records in SQLite (package store), masks as NIfTI in labels/final and
//     labels/original, and models.
//   - An item is a slice of a case; the queue holds those that wait for a label. A task is an item with all that the
//     page needs to show it.
//   - A proposal is the mask that the model in use predicts for an item. A person corrects it, or accepts it as it is.
//   - Cases are for training or for validation. Validation labels are never trained on and are made without seeing a
//     proposal; they decide whether a new model takes the place of the one in use.
//   - In lockstep, every cycle waits for the whole query: the picks are then those of a simulation (package experiment)
//     with the same seed, data and labels. Otherwise nobody ever waits.
//
// # The flow
//
//  1. [Open] begins or opens a project, takes over masks that are there, and queues the initial set ([Queue], by
//     active.Draw).
//  2. [Project.Run] does all the work in the background: it loads the [Cases], and whenever labels suffice the trainer runs
//     a cycle: train, validate, query (active.Pick). Initial set, seeds and query are the steps and streams of package
//     active, as in a simulation.
//  3. [Queue.Next] leases an item to a person, [Predictor.Proposal] is what the model in use makes of it, [Labels.Save]
//     stores the person's mask: on disk when it returns.
//  4. [Dashboard.Curves] tells how good the model is and what more labels would bring.
//  5. [Reviews] keep what reviewers say of labels: what is sent back is queued again, what is rejected is not learnt from.
//  6. [Exporter.Write] writes the labels for other programs. The networks in models/ are files of package model: nextslice
//     predict takes them.
//
// Package server offers the parts of a [Project] over HTTP, package monailabel by the protocol of 3D Slicer, which shows whole cases: see
// [Queue.NextCase] and [Labels.SaveSample]. Package script is a client of that and labels by masks that are
// known. Only this package reads and writes package store: what a person may see is decided here, in rights.go.
package annotate
