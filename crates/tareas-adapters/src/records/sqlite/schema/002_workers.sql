-- Remote workers: a session that its worker may go on with after a restart has the hash of the
-- secret for that; kinds stay known whether a worker that has them is there or not.
ALTER TABLE sessions ADD COLUMN resume BLOB;

CREATE TABLE kinds(
  name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
