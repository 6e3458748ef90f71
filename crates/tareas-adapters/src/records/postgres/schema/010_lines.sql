-- Which tasks entered a line, and in which order. An index on the place of a task would have to be
-- changed when the task is accepted and when it is claimed, and all other indexes with it; a row
-- for each statement that lets tasks enter costs next to nothing. A row names every task that
-- entered the line of its queue and priority by that statement, and may name tasks that have left
-- it: whether one waits is told by the task alone.

-- Processes of versions before this step accept tasks without such a row, so none of them may be
-- left: whoever serves shares this lock.
DO $$ BEGIN
  IF NOT pg_try_advisory_xact_lock(127961879896436) THEN
    RAISE EXCEPTION 'servers or worker nodes of an older version are still at work'
      USING HINT = 'stop all of them, then start the new version';
  END IF;
END $$;

CREATE TABLE tareas.lines (
  entry uuid NOT NULL,                -- of one statement
  queue text COLLATE "C" NOT NULL,
  priority int2 NOT NULL,
  place int8 NOT NULL,                -- of the first
  last_place int8 NOT NULL,
  ids uuid[] NOT NULL,                -- in the order of their places
  first_id uuid,                      -- the least and the greatest of them, where few others
  last_id uuid,                       -- can lie between; else NULL
  PRIMARY KEY (entry, queue, priority)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0);
ALTER TABLE tareas.lines ALTER ids SET STORAGE EXTERNAL;
CREATE INDEX lines_order ON tareas.lines (queue, priority DESC, place);

-- Rows for all tasks that wait, however they came here, and none beside.
CREATE FUNCTION tareas.line_up() RETURNS void LANGUAGE sql AS $$
  DELETE FROM tareas.lines;
  INSERT INTO tareas.lines (entry, queue, priority, place, last_place, ids)
    SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(w.part), 12, '0'))::uuid, w.queue,
      w.priority, min(w.place), max(w.place), array_agg(w.id ORDER BY w.place, w.id)
    FROM (SELECT t.queue, t.priority, t.place, t.id, (row_number()
        OVER (PARTITION BY t.queue, t.priority ORDER BY t.place, t.id) - 1) / 1000 AS part
      FROM tareas.tasks t WHERE t.place IS NOT NULL) w
    GROUP BY w.queue, w.priority, w.part
$$;
SELECT tareas.line_up();
DROP INDEX tareas.tasks_line;

-- Room on the page for the row as its claim leaves it, which is longer than as it was accepted:
-- an update that finds none goes to another page and to all indexes.
ALTER FUNCTION tareas.make_day(int4) RENAME TO make_partitions;
CREATE FUNCTION tareas.make_day(day int4) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
  IF NOT tareas.make_partitions(day) THEN
    RETURN false;
  END IF;
  EXECUTE format('ALTER TABLE tareas.tasks_%s SET (fillfactor = 40)', tareas.day_name(day));
  RETURN true;
END $$;
DO $$
DECLARE
  partition regclass;
BEGIN
  FOR partition IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'tareas.tasks'::regclass LOOP
    EXECUTE format('ALTER TABLE %s SET (fillfactor = 40)', partition);
  END LOOP;
END $$;

-- What the statements take in addition.
CREATE TYPE tareas.new_line AS (
  queue text,
  priority int2,
  place int8,
  last_place int8,
  ids uuid[],
  first_id uuid,
  last_id uuid
);

CREATE TYPE tareas.new_count AS (
  queue text,
  state int2,
  n int8
);

CREATE TYPE tareas.new_hold AS (
  session_id uuid,
  ids uuid[]
);
