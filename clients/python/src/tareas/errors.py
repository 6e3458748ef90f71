"""What can go wrong, as exceptions. Those of the server carry its stable code."""

from __future__ import annotations

from typing import Any, Dict, Optional


class TareasError(Exception):
    """Every error of this package."""


class ConnectionLost(TareasError):
    """No server was reached, or not again in time. What was submitted may have been accepted:
    submitting it again with the same ``task_id`` is safe."""


class TimedOut(TareasError, TimeoutError):
    """The time for waiting is over; the task goes on."""


class _FromServer(TareasError):
    """An error object of the server."""

    def __init__(self, error: Dict[str, Any], task_id: Optional[str] = None) -> None:
        self.code: str = str(error.get("code", ""))
        self.name: str = str(error.get("name", ""))
        self.message: str = str(error.get("message", ""))
        self.hint: str = str(error.get("hint", ""))
        self.retryable: bool = bool(error.get("retryable", False))
        self.task_id = task_id
        super().__init__(f"{self.message} [{self.code}] {self.hint}".rstrip())


class Refused(_FromServer):
    """The server did not do what was asked, and says why."""


class TaskFailed(_FromServer):
    """The task has failed for good."""

    def __init__(self, error: Dict[str, Any], task_id: str, reason: str) -> None:
        super().__init__(error, task_id)
        self.reason = reason


class TaskCancelled(TareasError):
    """The task was cancelled."""

    def __init__(self, task_id: str, reason: str) -> None:
        super().__init__(f"task {task_id} was cancelled: {reason}")
        self.task_id = task_id
        self.reason = reason


class Retry(TareasError):
    """Raised by a handler: try again, after so many seconds when it says so."""

    def __init__(self, message: str = "try again later", after: Optional[float] = None) -> None:
        super().__init__(message)
        self.after = after


class Rejected(TareasError):
    """Raised by a handler: the input is wrong, trying again cannot help."""


class Interrupted(TareasError):
    """The attempt is asked to end."""


Cancelled = Interrupted
