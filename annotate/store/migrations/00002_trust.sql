-- +goose Up

-- Who the project is, the same here and in labels/project.json: filled in when a project is opened.
ALTER TABLE project ADD COLUMN id TEXT NOT NULL DEFAULT '';

-- SHA-256 of the row and its mask; NULL in rows of older programs, whose masks end with an Adler-32 alone.
ALTER TABLE versions ADD COLUMN digest BLOB;

-- What the program notes for itself, by name.
CREATE TABLE notes (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;

-- The contents of the data's files when they were last seen, as JSON by path.
CREATE TABLE contents (
  case_name TEXT NOT NULL,
  path      TEXT NOT NULL,
  seen      TEXT NOT NULL,
  PRIMARY KEY (case_name, path)
) STRICT;

-- A time of work that no person can have had ends every sum that it is in.
UPDATE skips SET seconds = 14400 WHERE seconds > 14400;
UPDATE models SET seconds =
  coalesce((SELECT sum(min(seconds, 14400)) FROM versions v WHERE v.at <= models.at), 0) +
  coalesce((SELECT sum(seconds) FROM skips s WHERE s.at <= models.at), 0)
  WHERE seconds > 1e9;
