"""Submit tasks to a tareas server, and run them. Pure standard library.

    import tareas

    with tareas.Client("tcp://127.0.0.1:5000") as client:
        print(client.submit("square", n=5).result())  # 25

    app = tareas.Worker("tcp://127.0.0.1:5000")

    @app.task("resize")
    def resize(payload):
        return {"ok": True}

    app.run()
"""

from ._wire import Address, uuid7
from .aio import AsyncClient, AsyncTask
from .client import Client, Task
from .errors import (
    Cancelled,
    ConnectionLost,
    Interrupted,
    Refused,
    Rejected,
    Retry,
    TareasError,
    TaskCancelled,
    TaskFailed,
    TimedOut,
)
from .worker import Context, Worker

__all__ = [
    "Address",
    "AsyncClient",
    "AsyncTask",
    "Cancelled",
    "Client",
    "ConnectionLost",
    "Context",
    "Interrupted",
    "Refused",
    "Rejected",
    "Retry",
    "TareasError",
    "Task",
    "TaskCancelled",
    "TaskFailed",
    "TimedOut",
    "Worker",
    "uuid7",
]
__version__ = "0.1.0"
