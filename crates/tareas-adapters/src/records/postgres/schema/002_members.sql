-- Several processes on one store: closed sessions stay for a while, so that no claim of a process
-- that was declared gone, and does not know it, is recorded in them.
ALTER TABLE tareas.sessions ADD closed_at timestamptz;      -- state 1: closed

-- Blobs in a folder are for a process that is alone.
ALTER TABLE tareas.servers ADD local_blobs bool NOT NULL DEFAULT false;
