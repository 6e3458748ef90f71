-- Who may do what, and who did what. Times are microseconds since 1970.
CREATE TABLE tareas.credentials (
  id text PRIMARY KEY,
  kind text NOT NULL,
  sealed bytea NOT NULL,
  name text NOT NULL,
  roles text NOT NULL,
  queues text NOT NULL,
  networks text NOT NULL,
  expires_at int8,
  created_at int8 NOT NULL,
  created_by text NOT NULL,
  parent text,
  used_at int8,
  revoked_at int8
);

CREATE TABLE tareas.audit (
  number int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at int8 NOT NULL,
  who text NOT NULL,
  address text NOT NULL,
  deed text NOT NULL,
  detail text NOT NULL
);
CREATE INDEX audit_at ON tareas.audit (at);
