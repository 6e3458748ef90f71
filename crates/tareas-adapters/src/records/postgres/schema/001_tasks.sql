-- The tables of the store that many servers share. Instants are timestamptz; ids and tokens are
-- uuid; payloads, results, options and errors are bytes of JSON text. Needs PostgreSQL 15.
-- A step that was shipped is never edited: the next change is a file of its own.

-- Partitioned by the day of the id's own time: a UUIDv7 belongs to exactly one partition, so the
-- primary key is unique over all of them, and a day goes as a whole. No index names `state`:
-- with one that does, the planner walks it instead of the primary key. The three places where a
-- task that has not ended can be are three columns instead.
CREATE TABLE tareas.tasks (
  id uuid NOT NULL,
  version int8 NOT NULL,              -- +1 at each transition; the guard of every UPDATE
  state int2 NOT NULL,                -- 0 scheduled, 1 queued, 2 running, 3 succeeded, 4 failed, 5 cancelled
  reason int2,                        -- of failed and cancelled
  queue text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  priority int2 NOT NULL,
  place int8,                         -- queued: place in line, microseconds of entry
  due_at timestamptz,                 -- scheduled: the earliest start
  session_id uuid,                    -- running: whose pool runs it
  held_place int8,                    -- running: the place that a release gives back
  token uuid,                         -- of the open lease, else of the last settled attempt
  attempt int8 NOT NULL DEFAULT 0,
  charged int4 NOT NULL DEFAULT 0,
  crashes int4 NOT NULL DEFAULT 0,
  cancel_requested bool NOT NULL DEFAULT false,
  submitted_at timestamptz NOT NULL,
  started_at timestamptz,
  finished_at timestamptz,
  deadline_at timestamptz,            -- running: when the attempt should have ended
  expires_at timestamptz,             -- only while it waits: then it may expire
  prune_at timestamptz,               -- only when it has ended
  timeout_us int8,                    -- limit of one attempt, when it is not the default
  origin uuid,                        -- the server that holds the client
  payload_blob text,                  -- key|bytes|sha256
  result_blob text,                   -- key|bytes|sha256
  error bytea,                        -- what went wrong last
  options bytea,                      -- what differs from the defaults; NULL for most
  payload bytea,                      -- NULL when it is a blob
  result bytea,
  PRIMARY KEY (id),
  -- A task that has not ended is in exactly one place; one that has ended is in none.
  CONSTRAINT tasks_one_place CHECK (num_nonnulls(place, due_at, session_id) = (state < 3)::int)
) PARTITION BY RANGE (id);

-- Above 2 KiB a row's largest columns go to the TOAST table as they are, and an UPDATE that does
-- not touch them copies a pointer.
ALTER TABLE tareas.tasks ALTER payload SET STORAGE EXTERNAL, ALTER result SET STORAGE EXTERNAL;

CREATE INDEX tasks_line    ON tareas.tasks (queue, priority DESC, place, id) WHERE place IS NOT NULL;
CREATE INDEX tasks_due     ON tareas.tasks (due_at)     WHERE due_at IS NOT NULL;
CREATE INDEX tasks_session ON tareas.tasks (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX tasks_expiry  ON tareas.tasks (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX tasks_reason  ON tareas.tasks (id)         WHERE reason IS NOT NULL;

-- Idempotency keys, as long as their task: bytes, since a key may hold what no text can.
CREATE TABLE tareas.keys (
  key bytea PRIMARY KEY,
  id uuid NOT NULL
);

-- Attempts that ended without a success. Their partitions go with those of the tasks.
CREATE TABLE tareas.attempts (
  task_id uuid NOT NULL,
  attempt int8 NOT NULL,
  started_at timestamptz,
  ended_at timestamptz NOT NULL,
  outcome int2 NOT NULL,              -- 1 failed, 2 timed out, 3 lost, 4 released, 5 cancelled
  error bytea,
  worker text,
  PRIMARY KEY (task_id, attempt)
) PARTITION BY RANGE (task_id);

-- How many tasks there are: the sum over the shards. Each connection that writes has a shard of
-- its own, so that no commit waits for the row of another one.
CREATE TABLE tareas.counts (
  shard int4 NOT NULL,
  queue text COLLATE "C" NOT NULL,
  state int2 NOT NULL,
  n int8 NOT NULL,
  PRIMARY KEY (shard, queue, state)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE tareas.servers (
  server_id uuid PRIMARY KEY,
  shard int4 GENERATED ALWAYS AS IDENTITY UNIQUE,
  lock_key int8 NOT NULL UNIQUE,
  expires_at timestamptz NOT NULL DEFAULT 'infinity',
  state int2 NOT NULL DEFAULT 0       -- 0 alive, 1 draining, 2 gone
);

CREATE TABLE tareas.sessions (
  session_id uuid PRIMARY KEY,
  server_id uuid NOT NULL,
  own_pool bool NOT NULL DEFAULT true,
  state int2 NOT NULL DEFAULT 0,      -- 0 open
  resume_hash bytea,
  slots int4 NOT NULL,
  opened_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sessions_server ON tareas.sessions (server_id);

-- Kinds that workers announced: they stay known whether a worker that has them is there or not.
CREATE TABLE tareas.kinds (
  name text COLLATE "C" PRIMARY KEY
);

CREATE TABLE tareas.queues (
  name text COLLATE "C" PRIMARY KEY,
  paused bool NOT NULL DEFAULT false,
  settings jsonb
);

-- The first id of a day, counted since 1970: the upper 48 bits of a UUIDv7 are milliseconds.
CREATE FUNCTION tareas.day_start(day int4) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT (lpad(to_hex(day::int8 * 86400000), 12, '0') || repeat('0', 20))::uuid
$$;

CREATE FUNCTION tareas.day_name(day int4) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT to_char(date '1970-01-01' + day, 'YYYYMMDD')
$$;

-- Makes the partitions of a day: as tables of their own, then attached, since making them in
-- place locks the whole table against everybody. The caller holds the lock of the schema.
CREATE FUNCTION tareas.make_day(day int4) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
  suffix text := tareas.day_name(day);
  bounds text := format('FROM (%L) TO (%L)', tareas.day_start(day), tareas.day_start(day + 1));
BEGIN
  IF to_regclass('tareas.tasks_' || suffix) IS NOT NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE tareas.tasks_%s (LIKE tareas.tasks
      INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)
    WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01,
      autovacuum_vacuum_cost_delay = 0)', suffix);
  EXECUTE format('ALTER TABLE tareas.tasks ATTACH PARTITION tareas.tasks_%s FOR VALUES %s',
    suffix, bounds);
  EXECUTE format('CREATE TABLE tareas.attempts_%s (LIKE tareas.attempts)', suffix);
  EXECUTE format('ALTER TABLE tareas.attempts ATTACH PARTITION tareas.attempts_%s FOR VALUES %s',
    suffix, bounds);
  RETURN true;
END $$;

-- Drops the partitions of a day in which nothing is left. The caller holds the lock of the schema.
CREATE FUNCTION tareas.drop_day_if_empty(suffix text) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
  is_used bool;
BEGIN
  EXECUTE format('SELECT EXISTS (SELECT FROM tareas.tasks_%s)', suffix) INTO is_used;
  IF is_used THEN
    RETURN false;
  END IF;
  EXECUTE format('LOCK TABLE tareas.tasks_%s IN ACCESS EXCLUSIVE MODE', suffix);
  EXECUTE format('SELECT EXISTS (SELECT FROM tareas.tasks_%s)', suffix) INTO is_used;
  IF is_used THEN
    RETURN false;
  END IF;
  EXECUTE format('DROP TABLE tareas.tasks_%s, tareas.attempts_%s', suffix, suffix);
  RETURN true;
END $$;

-- Bytes of JSON in words: a text as it is, any other value as its JSON. Nothing fails: bytes that
-- no text can hold are shown escaped.
CREATE FUNCTION tareas.words(json bytea) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  written text;
BEGIN
  written := convert_from(json, 'UTF8');
  IF left(written, 1) = '"' THEN
    BEGIN
      RETURN written::json #>> '{}';
    EXCEPTION WHEN others THEN
      RETURN written;
    END;
  END IF;
  RETURN written;
EXCEPTION WHEN others THEN
  RETURN encode(json, 'escape');
END $$;

-- The message of a failure, in words.
CREATE FUNCTION tareas.message(error bytea) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN coalesce(convert_from(error, 'UTF8')::json ->> 'message', '');
EXCEPTION WHEN others THEN
  RETURN encode(error, 'escape');
END $$;

-- One row per task that succeeded or failed, in words.
CREATE VIEW tareas.tareas_resultados AS
SELECT
  t.id::text AS id,
  left(t.kind || CASE WHEN w.words = '' THEN '' ELSE ' ' || w.words END, 65536) AS tarea_texto,
  CASE
    WHEN t.state = 4 THEN 'error: ' || coalesce(tareas.message(t.error), '')
    WHEN t.result IS NULL THEN ''
    ELSE tareas.words(t.result)
  END AS resultado_texto,
  split_part(t.result_blob, '|', 1) AS archivo_s3_key,
  to_char(t.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS procesado_en
FROM tareas.tasks t,
  LATERAL (SELECT coalesce(tareas.words(t.payload), '') AS words) w
WHERE t.state IN (3, 4);
