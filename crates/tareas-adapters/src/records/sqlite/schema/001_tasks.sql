-- The tables of the embedded store. Instants are microseconds since 1970; ids and tokens are
-- 16 bytes; payloads, results, options and errors are bytes of JSON text. Readable by
-- SQLite 3.38. A step that was shipped is never edited: the next change is a file of its own.

-- high_seq, high_place: the highest numbers ever given. suspect_seq: tasks up to this number
-- may have a start that was not recorded. clean: the store was closed in order.
CREATE TABLE meta(
  key TEXT PRIMARY KEY,
  value ANY
) STRICT, WITHOUT ROWID;

CREATE TABLE tasks(
  seq INTEGER PRIMARY KEY,            -- order of acceptance, dense, never used twice
  id BLOB NOT NULL,                   -- UUIDv7
  version INTEGER NOT NULL,           -- +1 at each transition; the guard of every UPDATE
  state INTEGER NOT NULL,             -- 0 scheduled, 1 queued, 2 running, 3 succeeded, 4 failed, 5 cancelled
  reason INTEGER,                     -- of failed and cancelled
  queue TEXT NOT NULL,
  kind TEXT NOT NULL,
  priority INTEGER NOT NULL,
  place INTEGER,                      -- queued: place in line
  due_at INTEGER,                     -- scheduled: the earliest start
  session INTEGER,                    -- running: whose pool runs it
  held_place INTEGER,                 -- running: the place that a release gives back
  deadline_at INTEGER,                -- running: when the attempt should have ended
  token BLOB,                         -- of the open lease, else of the last settled attempt
  attempt INTEGER NOT NULL DEFAULT 0,
  charged INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0,
  cancel_requested INTEGER NOT NULL DEFAULT 0,
  submitted_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  expires_at INTEGER,                 -- only while it waits: then it may expire
  prune_at INTEGER,                   -- only when it has ended
  options BLOB,                       -- what differs from the defaults; NULL for most
  error BLOB,                         -- what went wrong last
  payload BLOB,                       -- NULL when it is a blob, or in `payloads`
  payload_blob TEXT,                  -- key|bytes|sha256
  result BLOB,
  result_blob TEXT,                   -- key|bytes|sha256
  -- A task that has not ended is in exactly one place; one that has ended is in none.
  CHECK ((place IS NOT NULL) + (due_at IS NOT NULL) + (session IS NOT NULL) = (state < 3))
) STRICT;

CREATE UNIQUE INDEX tasks_id ON tasks(id);
CREATE INDEX tasks_line ON tasks(queue, priority DESC, place) WHERE place IS NOT NULL;
CREATE INDEX tasks_due ON tasks(due_at) WHERE due_at IS NOT NULL;
CREATE INDEX tasks_session ON tasks(session) WHERE session IS NOT NULL;
CREATE INDEX tasks_expiry ON tasks(expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX tasks_reason ON tasks(seq) WHERE reason IS NOT NULL;

-- Payloads of 2 to 64 KiB of tasks that were written before they had ended: an UPDATE that
-- changes the size of a row rewrites all of it.
CREATE TABLE payloads(
  seq INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
) STRICT;

-- Idempotency keys: as long as their task.
CREATE TABLE keys(
  key TEXT PRIMARY KEY,
  id BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Attempts that ended without a success.
CREATE TABLE attempts(
  seq INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER NOT NULL,
  outcome INTEGER NOT NULL,           -- 1 failed, 2 timed out, 3 lost, 4 released, 5 cancelled
  error BLOB,
  PRIMARY KEY(seq, attempt)
) STRICT, WITHOUT ROWID;

-- How many tasks there are: changed in each commit, never counted.
CREATE TABLE counts(
  queue TEXT NOT NULL,
  state INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY(queue, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions(
  session INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  slots INTEGER NOT NULL,
  opened_at INTEGER NOT NULL
) STRICT;

CREATE TABLE queues(
  name TEXT PRIMARY KEY,
  paused INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row per task that succeeded or failed, in words. A text is shown as it is, any other
-- JSON value as its text. Nothing here can fail on a row: json_extract sees only texts that
-- are valid JSON strings, and our own errors.
CREATE VIEW tareas_resultados AS
WITH ended AS (
  SELECT
    t.*,
    lower(hex(t.id)) AS hex_id,
    CAST(t.result AS TEXT) AS result_text,
    CAST(coalesce(t.payload, (SELECT p.bytes FROM payloads p WHERE p.seq = t.seq), x'') AS TEXT)
      AS payload_text
  FROM tasks t
  WHERE t.state IN (3, 4)
), said AS (
  SELECT *, CASE
    WHEN substr(payload_text, 1, 1) = '"' AND json_valid(payload_text)
      THEN json_extract(payload_text, '$')
    ELSE payload_text
  END AS words
  FROM ended
)
SELECT
  substr(hex_id, 1, 8) || '-' || substr(hex_id, 9, 4) || '-' || substr(hex_id, 13, 4) || '-'
    || substr(hex_id, 17, 4) || '-' || substr(hex_id, 21) AS id,
  substr(kind || CASE WHEN words = '' THEN '' ELSE ' ' || words END, 1, 65536) AS tarea_texto,
  CASE
    WHEN state = 4 THEN 'error: ' || coalesce(json_extract(CAST(error AS TEXT), '$.message'), '')
    WHEN result_text IS NULL THEN ''
    WHEN substr(result_text, 1, 1) = '"' AND json_valid(result_text)
      THEN json_extract(result_text, '$')
    ELSE result_text
  END AS resultado_texto,
  CASE
    WHEN result_blob IS NOT NULL THEN substr(result_blob, 1, instr(result_blob, '|') - 1)
  END AS archivo_s3_key,
  strftime('%Y-%m-%d %H:%M:%S', finished_at / 1000000, 'unixepoch') AS procesado_en
FROM said;
