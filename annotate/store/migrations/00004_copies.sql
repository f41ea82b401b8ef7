-- +goose Up

-- The labelled slices that count once more in trainings from this model's query on, as a JSON array of names, CASE/SLICE.
ALTER TABLE models ADD COLUMN copies TEXT NOT NULL DEFAULT '[]';
