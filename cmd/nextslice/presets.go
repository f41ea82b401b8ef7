package main

import "github.com/nextslice/nextslice/train/recipe"

type presetsCommand struct{}

func (presetsCommand) Help() string {
	return `Prints the file of training presets. A configuration takes one with "preset: NAME" and changes single values of
it under "train:".

Examples:
  nextslice presets
  nextslice simulate --preset workstation`
}

func (presetsCommand) Run(s streams) error {
	_, err := s.out.Write(recipe.PresetsYAML)
	return err
}
