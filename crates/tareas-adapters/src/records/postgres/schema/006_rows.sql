-- What the hot statements take: an array of rows each. One array for each column costs two to
-- three times as much to unnest. Processes of several versions send these, so none of them ever changes: what
-- a later version sends in addition is a type of its own.
CREATE TYPE tareas.new_task AS (
  id uuid,
  state int2,
  queue text,
  kind text,
  priority int2,
  place int8,
  due_at timestamptz,
  submitted_at timestamptz,
  expires_at timestamptz,
  timeout_us int8,
  payload_blob text,
  options bytea,
  payload bytea,
  key bytea
);

CREATE TYPE tareas.new_claim AS (
  id uuid,
  attempt int8,                       -- the number before this claim
  session_id uuid,
  token uuid,
  claimed_at timestamptz
);

CREATE TYPE tareas.new_image AS (
  id uuid,
  version int8,                       -- that it was decided on, with the state
  was int2,
  state int2,
  reason int2,
  place int8,
  due_at timestamptz,
  session_id uuid,
  held_place int8,
  token uuid,
  attempt int8,
  charged int4,
  crashes int4,
  cancel_requested bool,
  started_at timestamptz,
  finished_at timestamptz,
  deadline_at timestamptz,
  expires_at timestamptz,
  prune_at timestamptz,
  result_blob text,
  error bytea,
  result bytea,
  ended_attempt int8,                 -- an attempt that ended without a success, or NULL
  ended_start timestamptz,
  ended_at timestamptz,
  ended_outcome int2,
  ended_error bytea
);
