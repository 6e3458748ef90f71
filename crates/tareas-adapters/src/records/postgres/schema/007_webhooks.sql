-- Who is told of ended tasks, and what was told. Times are microseconds since 1970.
CREATE TABLE tareas.webhooks (
  id text PRIMARY KEY,
  version int8 NOT NULL,
  name text NOT NULL,
  url text NOT NULL,
  queues text NOT NULL,
  kinds text NOT NULL,
  ends text NOT NULL,
  secret bytea NOT NULL,
  old_secret bytea,
  old_until int8,
  created_at int8 NOT NULL,
  created_by text NOT NULL,
  changed_at int8 NOT NULL,
  since int8 NOT NULL,
  disabled text,
  disabled_at int8,
  failing_since int8,
  last_error text NOT NULL
);

CREATE TABLE tareas.deliveries (
  number int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  webhook text NOT NULL,
  message text NOT NULL,
  event text NOT NULL,
  task bytea,
  body text NOT NULL,
  made_at int8 NOT NULL,
  phase int8 NOT NULL,                -- 0 waiting, 1 delivered, 2 given up
  due_at int8 NOT NULL,               -- while it is claimed: until when
  tries int8 NOT NULL,
  tried_at int8,
  took_us int8,
  status int8,
  answer text
);
CREATE UNIQUE INDEX deliveries_once ON tareas.deliveries (webhook, message);
CREATE INDEX deliveries_due ON tareas.deliveries (webhook, due_at) WHERE phase = 0;
CREATE INDEX deliveries_ended ON tareas.deliveries (number) WHERE phase > 0;

-- How far each process has recorded what ended in it.
CREATE TABLE tareas.end_marks (
  owner int8 PRIMARY KEY,
  upto int8 NOT NULL,
  beat_at int8 NOT NULL
);
