-- Which tasks each session has claimed. An index on the session of a task would have to be changed
-- at every claim and every end, and all other indexes with it; a row for each statement that
-- claims costs next to nothing. A row names every task that the session holds by that statement,
-- and may name tasks that have ended: whether one is held is told by the task alone.

-- Processes of versions before this step claim without such a row, so none of them may be left:
-- whoever serves shares this lock.
DO $$ BEGIN
  IF NOT pg_try_advisory_xact_lock(127961879896436) THEN
    RAISE EXCEPTION 'servers or worker nodes of an older version are still at work'
      USING HINT = 'stop all of them, then start the new version';
  END IF;
END $$;
-- One that cannot be heard may come back. What it held is taken back, and it claims nothing more.
UPDATE tareas.sessions SET state = 1, closed_at = statement_timestamp()
  WHERE state = 0 AND own_pool;

CREATE TABLE tareas.claims (
  claim uuid NOT NULL,                -- of one statement
  session_id uuid NOT NULL,
  ids uuid[] NOT NULL,
  claimed_at timestamptz NOT NULL DEFAULT statement_timestamp(),
  PRIMARY KEY (claim, session_id)
);
ALTER TABLE tareas.claims ALTER ids SET STORAGE EXTERNAL;
CREATE INDEX claims_session ON tareas.claims (session_id);

INSERT INTO tareas.claims (claim, session_id, ids)
  SELECT gen_random_uuid(), t.session_id, array_agg(t.id) FROM tareas.tasks t
  WHERE t.session_id IS NOT NULL GROUP BY t.session_id;
DROP INDEX tareas.tasks_session;
