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
//  1. [Open] begins or opens a project, takes over masks that are there, and queues the initial set.
//  2. [Project.Run] does all that happens in the background: train, validate, query, predict ahead.
//  3. [Project.Next] leases an item to a person, [Project.Proposal] is what the model thinks of it, [Project.Save]
//     stores the person's mask: on disk when it returns.
//  4. [Project.Curves] tells how good the model is and what more labels would bring.
//  5. [Project.Export] writes the labels for other programs.
//
// Package server offers this over HTTP, package script is a client of that and labels by masks that are known.
package annotate
