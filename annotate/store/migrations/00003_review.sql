-- +goose Up

-- What reviewers have said of labels; the newest row of a slice counts as long as its version is the label. Rows are never changed.
CREATE TABLE reviews (
  id        INTEGER PRIMARY KEY,
  case_name TEXT NOT NULL,
  slice     INTEGER NOT NULL,
  version   INTEGER NOT NULL, -- of the slice, that the reviewer saw
  person    TEXT NOT NULL,
  at        TEXT NOT NULL,
  status    TEXT NOT NULL CHECK (status IN ('accepted', 'rejected', 'discuss', 'returned')),
  note      TEXT NOT NULL,
  FOREIGN KEY (case_name, slice, version) REFERENCES versions (case_name, slice, version)
) STRICT;
CREATE INDEX reviews_item ON reviews (case_name, slice);

-- +goose StatementBegin
CREATE TRIGGER reviews_keep BEFORE UPDATE ON reviews BEGIN SELECT RAISE(ABORT, 'reviews are never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER reviews_stay BEFORE DELETE ON reviews BEGIN SELECT RAISE(ABORT, 'reviews are never deleted'); END;
-- +goose StatementEnd

-- The queue gets a purpose: a label that a reviewer has sent back.
CREATE TABLE queue_new (
  id        INTEGER PRIMARY KEY,
  case_name TEXT NOT NULL REFERENCES cases (name),
  slice     INTEGER NOT NULL,
  cycle     INTEGER NOT NULL,           -- whose model asked; -1 is the initial set
  purpose   TEXT NOT NULL CHECK (purpose IN ('training', 'validation', 'reading', 'correction')),
  kind      TEXT NOT NULL CHECK (kind IN ('query', 'fill')), -- fill: chosen between two queries, so that nobody waits
  score     REAL,
  readings  INTEGER NOT NULL DEFAULT 1, -- 2: two people label it independently
  state     TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'disputed', 'done', 'skipped', 'withdrawn'))
) STRICT;
INSERT INTO queue_new SELECT id, case_name, slice, cycle, purpose, kind, score, readings, state FROM queue;
DROP TABLE queue;
ALTER TABLE queue_new RENAME TO queue;
CREATE UNIQUE INDEX queue_open ON queue (case_name, slice) WHERE state IN ('waiting', 'disputed');
CREATE INDEX queue_cycle ON queue (cycle);
