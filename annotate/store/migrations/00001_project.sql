-- +goose Up

-- The configuration of the project, as JSON; one row.
CREATE TABLE project (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  name   TEXT NOT NULL,
  made   TEXT NOT NULL,
  config TEXT NOT NULL
) STRICT;

CREATE TABLE cases (
  name    TEXT PRIMARY KEY,
  slices  INTEGER NOT NULL,
  height  INTEGER NOT NULL,
  width   INTEGER NOT NULL,
  role    TEXT NOT NULL CHECK (role IN ('training', 'validation')),
  written INTEGER NOT NULL DEFAULT 0 -- versions.id of the newest label that the mask files hold
) STRICT;

-- Every mask that was ever saved. Rows are never changed: the triggers below see to that.
CREATE TABLE versions (
  id        INTEGER PRIMARY KEY,
  case_name TEXT NOT NULL REFERENCES cases (name),
  slice     INTEGER NOT NULL,
  version   INTEGER NOT NULL,           -- 1, 2 … of this slice
  reading   INTEGER NOT NULL DEFAULT 0, -- 1, 2: one of two independent readings, which are not yet the label
  person    TEXT NOT NULL,
  at        TEXT NOT NULL,
  seconds   REAL NOT NULL,
  action    TEXT NOT NULL,
  proposal  INTEGER,                    -- models.version whose proposal the person saw
  dice      REAL,                       -- of this mask and that proposal
  agreement REAL,                       -- Dice of the two readings
  restored  INTEGER,                    -- the version that this one brings back
  asked     INTEGER,                    -- queue.id that a reading answers
  mask      BLOB NOT NULL,
  UNIQUE (case_name, slice, version)
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER versions_keep BEFORE UPDATE ON versions BEGIN SELECT RAISE(ABORT, 'versions are never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER versions_stay BEFORE DELETE ON versions BEGIN SELECT RAISE(ABORT, 'versions are never deleted'); END;
-- +goose StatementEnd

CREATE INDEX versions_asked ON versions (asked) WHERE asked IS NOT NULL;

-- Which slices are labelled, and by which version.
CREATE TABLE labels (
  case_name TEXT NOT NULL,
  slice     INTEGER NOT NULL,
  version   INTEGER NOT NULL,
  PRIMARY KEY (case_name, slice),
  FOREIGN KEY (case_name, slice, version) REFERENCES versions (case_name, slice, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE drafts (
  case_name TEXT NOT NULL REFERENCES cases (name),
  slice     INTEGER NOT NULL,
  person    TEXT NOT NULL,
  at        TEXT NOT NULL,
  mask      BLOB NOT NULL,
  PRIMARY KEY (case_name, slice, person)
) STRICT;

CREATE TABLE skips (
  case_name TEXT NOT NULL REFERENCES cases (name),
  slice     INTEGER NOT NULL,
  person    TEXT NOT NULL,
  at        TEXT NOT NULL,
  reason    TEXT NOT NULL,
  seconds   REAL NOT NULL,
  PRIMARY KEY (case_name, slice)
) STRICT;

-- What was asked for, in the order in which it is offered. Answered rows stay as the history of queries.
CREATE TABLE queue (
  id        INTEGER PRIMARY KEY,
  case_name TEXT NOT NULL REFERENCES cases (name),
  slice     INTEGER NOT NULL,
  cycle     INTEGER NOT NULL,           -- whose model asked; -1 is the initial set
  purpose   TEXT NOT NULL CHECK (purpose IN ('training', 'validation', 'reading')),
  kind      TEXT NOT NULL CHECK (kind IN ('query', 'fill')), -- fill: chosen between two queries, so that nobody waits
  score     REAL,
  readings  INTEGER NOT NULL DEFAULT 1, -- 2: two people label it independently
  state     TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'disputed', 'done', 'skipped', 'withdrawn'))
) STRICT;
CREATE UNIQUE INDEX queue_open ON queue (case_name, slice) WHERE state IN ('waiting', 'disputed');
CREATE INDEX queue_cycle ON queue (cycle);

CREATE TABLE leases (
  case_name TEXT NOT NULL REFERENCES cases (name),
  slice     INTEGER NOT NULL,
  person    TEXT NOT NULL,
  until     TEXT NOT NULL,
  PRIMARY KEY (case_name, slice)
) STRICT;

CREATE TABLE models (
  version   INTEGER PRIMARY KEY,
  cycle     INTEGER NOT NULL UNIQUE,
  labelled  INTEGER NOT NULL, -- training labels that it saw
  seconds   REAL NOT NULL,    -- that people had spent on labels until then
  dice      REAL,             -- on the validation labels of that time
  previous  REAL,             -- of the model in use before, on the same labels
  adopted   INTEGER NOT NULL, -- whether it took the other's place
  reason    TEXT NOT NULL,
  at        TEXT NOT NULL
) STRICT;

-- What models proposed for slices.
CREATE TABLE proposals (
  case_name TEXT NOT NULL REFERENCES cases (name),
  slice     INTEGER NOT NULL,
  model     INTEGER NOT NULL REFERENCES models (version),
  mask      BLOB NOT NULL,
  PRIMARY KEY (case_name, slice, model)
) STRICT;

CREATE TABLE people (
  name  TEXT PRIMARY KEY,
  role  TEXT NOT NULL CHECK (role IN ('annotator', 'adjudicator')),
  token BLOB -- SHA-256 of the person's own token
) STRICT;

CREATE TABLE sessions (
  hash   BLOB PRIMARY KEY, -- SHA-256 of what the browser holds
  person TEXT NOT NULL,
  at     TEXT NOT NULL
) STRICT;

-- The audit log: who did what, when.
CREATE TABLE events (
  id        INTEGER PRIMARY KEY,
  at        TEXT NOT NULL,
  person    TEXT NOT NULL, -- '' is the program
  event     TEXT NOT NULL,
  case_name TEXT,
  slice     INTEGER,
  detail    TEXT NOT NULL
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER events_keep BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER events_stay BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
-- +goose StatementEnd
