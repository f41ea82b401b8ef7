-- +goose Up

-- The newest version of the label that the person knew when the draft was drawn, 0 for none. Of drafts of older programs: the one that was there when the draft was kept.
ALTER TABLE drafts ADD COLUMN base INTEGER NOT NULL DEFAULT 0;
UPDATE drafts SET base = coalesce((SELECT max(version) FROM versions v
  WHERE v.case_name = drafts.case_name AND v.slice = drafts.slice AND v.reading = 0 AND v.at <= drafts.at), 0);
