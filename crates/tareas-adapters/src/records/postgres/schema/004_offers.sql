-- What the pool of each process can run: so that any server can tell why a task waits, and takes
-- tasks of kinds that only some nodes have.
ALTER TABLE tareas.servers ADD threads int4 NOT NULL DEFAULT 0;
ALTER TABLE tareas.servers ADD kinds text[] COLLATE "C" NOT NULL DEFAULT '{}';
