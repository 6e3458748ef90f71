-- What the statement of the plain end takes: most tasks succeed, and then little of a row changes.
CREATE TYPE tareas.new_success AS (
  id uuid,
  version int8,                       -- that it was decided on
  finished_at timestamptz,
  prune_at timestamptz,
  result_blob text,
  result bytea
);
