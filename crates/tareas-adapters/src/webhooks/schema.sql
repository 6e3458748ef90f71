-- Times are microseconds since 1970.
CREATE TABLE webhooks (
  id TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  queues TEXT NOT NULL,
  kinds TEXT NOT NULL,
  ends TEXT NOT NULL,
  secret BLOB NOT NULL,
  old_secret BLOB,
  old_until INTEGER,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  since INTEGER NOT NULL,
  disabled TEXT,
  disabled_at INTEGER,
  failing_since INTEGER,
  last_error TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE deliveries (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  webhook TEXT NOT NULL,
  message TEXT NOT NULL,
  event TEXT NOT NULL,
  task BLOB,
  body TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  phase INTEGER NOT NULL,             -- 0 waiting, 1 delivered, 2 given up
  due_at INTEGER NOT NULL,            -- while it is claimed: until when
  tries INTEGER NOT NULL,
  tried_at INTEGER,
  took_us INTEGER,
  status INTEGER,
  answer TEXT
);
CREATE UNIQUE INDEX deliveries_once ON deliveries (webhook, message);
CREATE INDEX deliveries_due ON deliveries (webhook, due_at) WHERE phase = 0;
CREATE INDEX deliveries_ended ON deliveries (number) WHERE phase > 0;

CREATE TABLE marks (
  owner INTEGER PRIMARY KEY,
  upto INTEGER NOT NULL,
  beat_at INTEGER NOT NULL
);
