package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nextslice/nextslice/annotate"
)

type projectCommand struct {
	Check    projectCheckCommand    `cmd:"" help:"Say what is wrong with a project; changes nothing, also while it is served."`
	Backup   projectBackupCommand   `cmd:"" help:"Copy a project's database, also while it is served."`
	Repair   projectRepairCommand   `cmd:"" help:"Make a damaged project whole again, from what can be read and from labels/final."`
	Restore  projectRestoreCommand  `cmd:"" help:"Put back project.db, from a copy and from labels/final."`
	TakeOver projectTakeOverCommand `cmd:"" help:"Make what another program has changed in labels/final the labels."`
}

func (projectCommand) Help() string {
	return `Looks after the folder of an annotation project: DATA-annotation, or what serve was given with --project. What these commands replace
is kept in the folder's backups.

Examples:
  nextslice project check DIR-annotation
  nextslice project backup DIR-annotation /mnt/safe/project.db
  nextslice project restore DIR-annotation --from /mnt/safe/project.db
  nextslice project take-over DIR-annotation Case07`
}

type projectFolder struct {
	Dir string `arg:"" placeholder:"DIR" help:"Folder of the project."`
}

type projectCheckCommand struct{ projectFolder }

func (projectCheckCommand) Help() string {
	return `Reads the whole database and every mask in it, compares labels/final with it, and looks at the copies. The exit code is 1 where something must
be done.

Examples:
  nextslice project check DIR-annotation`
}

func (c projectCheckCommand) Run(ctx context.Context, s streams) error {
	found, err := annotate.Check(ctx, c.Dir)
	for _, text := range found.Notes {
		fmt.Fprintln(s.out, text)
	}
	for _, text := range found.Faults {
		fmt.Fprintln(s.out, "fault:", text)
	}
	if err != nil {
		return err
	}
	if n := len(found.Faults); n > 0 {
		return fmt.Errorf("faults: %d; see nextslice project repair --help and nextslice project restore --help", n)
	}
	fmt.Fprintln(s.out, "no fault found")
	return nil
}

type projectBackupCommand struct {
	projectFolder
	File string `arg:"" placeholder:"FILE" help:"New file for the copy."`
}

func (projectBackupCommand) Help() string {
	return `Copies project.db by SQLite's online backup: the copy is whole and checked, whatever is saved meanwhile. It holds all that people have made: labels with
their history, drafts, the queue, who may log in. Of what the program makes, mask files and the record come back by themselves; models and pseudo-labels do not:
copy the folder models too, or the next training makes a new model. A server makes a copy of its own every day, in the folder backups.

Examples:
  nextslice project backup DIR-annotation /mnt/safe/2026-11-29.db`
}

func (c projectBackupCommand) Run(ctx context.Context, s streams) error {
	if err := annotate.Backup(ctx, c.Dir, c.File); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "copy:", c.File)
	return nil
}

type projectRepairCommand struct{ projectFolder }

func (projectRepairCommand) Help() string {
	return `Makes a damaged project.db anew from all that can be read of it, puts in the place of a damaged label what labels/final holds of it, or else the
newest earlier version, and computes stored sums anew. Data files that have changed are taken for right as they are now. Nothing is moved before the new
project.db is whole, and one that could not be looked at (an interruption, a full disk, the format of a newer nextslice) stays as it is. Stop the server first.

Examples:
  nextslice project repair DIR-annotation`
}

func (c projectRepairCommand) Run(ctx context.Context, s streams) error {
	return told(s)(annotate.Repair(ctx, c.Dir, time.Now))
}

type projectRestoreCommand struct {
	projectFolder
	From string `placeholder:"FILE" help:"Copy of project.db; without it, where project.db is missing, the newest in the folder backups."`
}

func (projectRestoreCommand) Help() string {
	return `For a project whose project.db is missing, empty, or older than labels/final. Puts back a copy, if there is one, and then what labels/final holds that is
newer, as new versions under the names of those who made them; without a name where a file is not the one that was written last. Nothing is moved before FILE
is found to be a whole copy of this project's database; what it replaces is kept in backups. Without FILE, copies of a time that is still to come, by a clock
that was wrong, are the last choice. Stop the server first.

Examples:
  nextslice project restore DIR-annotation
  nextslice project restore DIR-annotation --from /mnt/safe/2026-11-29.db`
}

func (c projectRestoreCommand) Run(ctx context.Context, s streams) error {
	return told(s)(annotate.Restore(ctx, c.Dir, c.From, time.Now))
}

type projectTakeOverCommand struct {
	projectFolder
	Cases []string `arg:"" placeholder:"CASE" help:"Cases whose files were changed."`
}

func (projectTakeOverCommand) Help() string {
	return `Slices of labels/final/CASE.nii.gz that differ from the labels become new versions, so that nothing is lost: earlier ones can be restored on the
page. Stop the server first.

Examples:
  nextslice project take-over DIR-annotation Case07 Case12`
}

func (c projectTakeOverCommand) Run(ctx context.Context, s streams) error {
	n, err := annotate.TakeOver(ctx, c.Dir, c.Cases, time.Now)
	if err != nil {
		return served(err)
	}
	fmt.Fprintf(s.out, "%d slices taken over\n", n)
	return nil
}

// told prints what was done, also before a failure.
func told(s streams) func(done []string, err error) error {
	return func(done []string, err error) error {
		for _, text := range done {
			fmt.Fprintln(s.out, text)
		}
		return served(err)
	}
}

func served(err error) error {
	if errors.Is(err, annotate.ErrLocked) {
		return fmt.Errorf("%w: stop that server first", err)
	}
	return err
}
