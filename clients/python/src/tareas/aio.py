"""The client for programs that use asyncio: the same connection, awaited."""

from __future__ import annotations

import asyncio
from typing import Any, AsyncIterator, Dict, Iterable, List, Mapping, Optional, Tuple, Union

from .client import Client, Payload, Task, outcome
from .errors import TimedOut


class AsyncTask:
    """A task that was accepted."""

    def __init__(self, client: Client, task: Task) -> None:
        self._client = client
        self._task = task
        self.id = task.id

    async def result(self, timeout: Optional[float] = None) -> Any:
        """Waits for the result; raises as :meth:`Task.result` does."""
        end = asyncio.wrap_future(self._task.future())
        try:
            return outcome(self.id, await asyncio.wait_for(asyncio.shield(end), timeout), self._client)
        except asyncio.TimeoutError:
            raise TimedOut("the time for waiting is over; the task goes on") from None

    async def cancel(self) -> str:
        """Asks for it to be given up."""
        return await asyncio.to_thread(self._task.cancel)


class AsyncClient:
    """A connection to a server, for asyncio."""

    def __init__(self, server: str = "tcp://127.0.0.1:5000", **options: Any) -> None:
        self._client = Client(server, **options)

    async def submit(self, kind: str, payload: Payload = None, *, options: Optional[Mapping[str, Any]] = None, **fields: Any) -> AsyncTask:
        """Submits a task; returns once it is accepted."""
        task = await asyncio.to_thread(self._client.submit, kind, payload, options=options, **fields)
        return AsyncTask(self._client, task)

    async def submit_many(self, tasks: Iterable[Union[Tuple[str, Payload], Mapping[str, Any]]]) -> List[AsyncTask]:
        """Submits tasks as :meth:`Client.submit_many` does."""
        made = await asyncio.to_thread(self._client.submit_many, list(tasks))
        return [AsyncTask(self._client, task) for task in made]

    async def status(self, task_id: str) -> Dict[str, Any]:
        """The whole task object."""
        return await asyncio.to_thread(self._client.status, task_id)

    async def logs(self, task_id: str) -> List[Dict[str, Any]]:
        """What the attempts of a task have said so far."""
        return await asyncio.to_thread(self._client.logs, task_id)

    async def follow(self, task_id: str) -> AsyncIterator[Dict[str, Any]]:
        """What the attempts of a task say, as :meth:`Client.follow` tells it."""
        events = self._client.follow(task_id)
        while (event := await asyncio.to_thread(next, events, None)) is not None:
            yield event

    async def cancel(self, task_id: str) -> str:
        """Gives a task up."""
        return await asyncio.to_thread(self._client.cancel, task_id)

    async def close(self) -> None:
        """Ends the connection."""
        self._client.close()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
