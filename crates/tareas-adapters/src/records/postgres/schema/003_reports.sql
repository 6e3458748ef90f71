-- What each process says of itself, for people who look at another one. JSON, read by nobody else.
ALTER TABLE tareas.servers ADD report text, ADD reported_at timestamptz;
