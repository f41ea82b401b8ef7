-- +goose Up

-- What a text is as codes with values (package fault), for other languages: a JSON array of {"code": …, "values": {…}}. Empty where the text is a person's, or of
-- an older program.
ALTER TABLE events ADD COLUMN said TEXT NOT NULL DEFAULT '[]';
ALTER TABLE models ADD COLUMN said TEXT NOT NULL DEFAULT '[]';
