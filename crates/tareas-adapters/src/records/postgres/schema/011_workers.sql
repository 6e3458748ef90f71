-- What people call whoever runs in a session: the history of what it leaves behind names it.
ALTER TABLE tareas.sessions ADD COLUMN worker text;
