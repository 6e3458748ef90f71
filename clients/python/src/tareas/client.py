"""The client: one connection, used from any number of threads.

Every task has its id before it is sent. When the connection is lost the client makes another one
and says again what was not answered, so a lost connection makes no second task.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from ._wire import Address, dumps, lines_of, loads, pause, shut, uuid7
from .errors import ConnectionLost, Refused, TaskCancelled, TaskFailed, TimedOut

Payload = Any
ENDS = ("succeeded", "failed", "cancelled")
BATCH_MAX = 5_000


class _Asked:
    """A line that is not answered completely."""

    __slots__ = ("line", "first", "end", "events")

    def __init__(self, line: bytes, wants_end: bool) -> None:
        self.line = line
        #: What a followed task says, as it comes; a queue that only ``follow`` makes.
        self.events: "Optional[queue.Queue[Any]]" = None
        self.first: "Future[Dict[str, Any]]" = Future()
        self.end: "Optional[Future[Dict[str, Any]]]" = Future() if wants_end else None


class Task:
    """A task that was accepted."""

    def __init__(self, client: "Client", task_id: str, end: "Future[Dict[str, Any]]") -> None:
        self._client = client
        self._end = end
        self.id = task_id

    def result(self, timeout: Optional[float] = None) -> Any:
        """Waits for the result.

        Raises :class:`TaskFailed`, :class:`TaskCancelled`, or :class:`TimedOut`.
        """
        return outcome(self.id, _wait(self._end, timeout), self._client)

    def done(self) -> bool:
        """Whether it has ended."""
        return self._end.done()

    def cancel(self) -> str:
        """Asks for it to be given up: ``cancelled``, or ``running`` when it was asked to stop."""
        return self._client.cancel(self.id)

    def status(self) -> Dict[str, Any]:
        """The whole task object."""
        return self._client.status(self.id)

    def follow(self) -> Iterator[Dict[str, Any]]:
        """What its attempts say, as :meth:`Client.follow` tells it."""
        return self._client.follow(self.id)

    def future(self) -> "Future[Dict[str, Any]]":
        """Its end, as it comes over the wire."""
        return self._end

    def __repr__(self) -> str:
        return f"Task({self.id!r})"


def outcome(task_id: str, end: Mapping[str, Any], client: "Optional[Client]" = None) -> Any:
    """The result that an end carries, or the exception that it is."""
    status = end.get("status")
    if status == "succeeded":
        if "result" not in end and "result_ref" in end and client is not None:
            return client.fetch(str(end["result_ref"]["url"]))
        return end.get("result")
    if status == "failed":
        raise TaskFailed(end.get("error", {}), task_id, str(end.get("reason", "")))
    raise TaskCancelled(task_id, str(end.get("reason", "")))


def _wait(future: "Future[Dict[str, Any]]", timeout: Optional[float]) -> Dict[str, Any]:
    try:
        return future.result(timeout)
    except FutureTimeout:
        raise TimedOut("the time for waiting is over; the task goes on") from None


def submission(kind: str, payload: Payload, fields: Mapping[str, Any], options: Mapping[str, Any]) -> Dict[str, Any]:
    """A submission in the full form."""
    if payload is not None and fields:
        raise TypeError("a payload is given whole or member by member, not both")
    task: Dict[str, Any] = {"cmd": "submit", "kind": kind}
    task["payload"] = dict(fields) if fields else payload
    task.update(options)
    task.setdefault("task_id", uuid7())
    return task


class Client:
    """A connection to a server such as ``tcp://127.0.0.1:5000`` or ``tls://tasks.example:5000``.
    ``token`` is shown to a server that asks for one; without it, that of the variable
    ``TAREAS_TOKEN``. ``ca`` is a PEM file of certificates to trust instead of the system's."""

    def __init__(self, server: str = "tcp://127.0.0.1:5000", *, token: Optional[str] = None, ca: Optional[str] = None, connect_timeout: float = 5.0, answer_timeout: float = 30.0, reconnect_for: float = 60.0) -> None:
        self._address = Address.parse(server, ca)
        self._token = token or os.environ.get("TAREAS_TOKEN")
        self._connect_timeout = connect_timeout
        self._answer_timeout = answer_timeout
        self._reconnect_for = reconnect_for
        self._lock = threading.Lock()
        self._next = 0
        self._asked: Dict[int, _Asked] = {}
        self._is_closed = False
        try:
            self._stream: Optional[socket.socket] = self._address.connect(connect_timeout, self._token)
        except OSError as error:
            raise ConnectionLost(f"no server at {server}: {error}") from error
        threading.Thread(target=self._read, name="tareas-client", daemon=True).start()

    def submit(self, kind: str, payload: Payload = None, *, options: Optional[Mapping[str, Any]] = None, **fields: Any) -> Task:
        """Submits a task; returns once it is accepted, which means that it is on disk.

        The payload is given whole, or member by member: ``submit("square", n=5)``. ``options``
        are those of the protocol: ``queue``, ``priority``, ``delay_ms``, ``requires``,
        ``traceparent`` and so on.
        """
        task = submission(kind, payload, fields, options or {})
        asked = self.ask(task, wants_end=True)
        self._first(asked)
        assert asked.end is not None
        return Task(self, task["task_id"], asked.end)

    def submit_many(self, tasks: Iterable[Union[Tuple[str, Payload], Mapping[str, Any]]]) -> List[Task]:
        """Submits tasks as pairs of kind and payload, or as objects of the full form. All of
        them are on disk on return; the first one that is refused raises :class:`Refused`."""
        made: List[Tuple[Dict[str, Any], _Asked]] = []
        for one in tasks:
            if isinstance(one, tuple):
                task = submission(one[0], one[1], {}, {})
            else:
                options = {key: value for key, value in one.items() if key not in ("kind", "payload")}
                task = submission(str(one["kind"]), one.get("payload"), {}, options)
            made.append((task, self._enter(task, wants_end=True)))
        for start in range(0, len(made), BATCH_MAX):
            self._send(b"".join(asked.line for _, asked in made[start : start + BATCH_MAX]))
        handles = []
        for task, asked in made:
            self._first(asked)
            assert asked.end is not None
            handles.append(Task(self, task["task_id"], asked.end))
        return handles

    def map(self, kind: str, payloads: Sequence[Payload], timeout: Optional[float] = None) -> List[Any]:
        """The results of one task for each payload, in order."""
        until = None if timeout is None else time.monotonic() + timeout
        tasks = self.submit_many((kind, payload) for payload in payloads)
        return [task.result(None if until is None else max(0.0, until - time.monotonic())) for task in tasks]

    def task(self, task_id: str, timeout: Optional[float] = None) -> Task:
        """A task that was submitted before, perhaps by another program."""
        wait_ms = 3_600_000 if timeout is None else int(timeout * 1000)
        asked = self.ask({"cmd": "wait", "task_id": task_id, "timeout_ms": wait_ms}, wants_end=False)
        return Task(self, task_id, asked.first)

    def wait(self, task_id: str, timeout: Optional[float] = None) -> Any:
        """Waits for the result of a task that was submitted before."""
        end = _wait(self.task(task_id, timeout).future(), None)
        if end.get("timed_out"):
            raise TimedOut("the time for waiting is over; the task goes on")
        return outcome(task_id, end, self)

    def status(self, task_id: str) -> Dict[str, Any]:
        """The whole task object. Each of its ``attempts`` has an ``outcome``, ``worker``, ``thread`` and
        ``error`` if it failed, and the ``exit_code`` or ``signal`` that a process of its own ended with."""
        return self._first(self.ask({"cmd": "status", "task_id": task_id}, wants_end=False))

    def logs(self, task_id: str) -> List[Dict[str, Any]]:
        """What the attempts of a task have said so far: for each ``attempt``, ``lines`` of its log,
        the ``output`` that it had, if any, and whether something was ``truncated``."""
        return list(self._first(self.ask({"cmd": "logs", "task_id": task_id}, wants_end=False))["attempts"])

    def follow(self, task_id: str) -> Iterator[Dict[str, Any]]:
        """What the attempts of a task have said and say from now on, until it has ended: events
        ``log`` and ``output`` with ``text``, ``progress`` with ``percent`` and ``message``,
        ``truncated``, and ``end`` with ``status``, after which nothing follows. Nothing is told
        twice, also across a lost connection."""
        request = {"cmd": "logs", "task_id": task_id, "follow": True}
        events: "queue.Queue[Any]" = queue.Queue()
        asked = self._enter(request, wants_end=False, events=events)
        self._send(asked.line)
        try:
            while True:
                event = events.get()
                if isinstance(event, Exception):
                    raise event
                if "at" in event:
                    # What a new connection says instead.
                    request["after"] = event["at"]
                    asked.line = (dumps(request) + "\n").encode()
                yield {name: value for name, value in event.items() if name not in ("ref", "at")}
                if event["event"] == "end":
                    return
        finally:
            self._forget(request["ref"])

    def cancel(self, task_id: str) -> str:
        """Gives a task up: ``cancelled``, or ``running`` when it was asked to stop."""
        return str(self._first(self.ask({"cmd": "cancel", "task_id": task_id}, wants_end=False))["status"])

    def requeue(self, task_id: str) -> str:
        """Puts a failed or cancelled task back in line."""
        return str(self._first(self.ask({"cmd": "requeue", "task_id": task_id}, wants_end=False))["status"])

    def hello(self) -> Dict[str, Any]:
        """Who the server is."""
        return self._first(self.ask({"cmd": "hello"}, wants_end=False))

    def fetch(self, path: str) -> Any:
        """A result that is too large for a line."""
        import http.client

        host, port, tls = self._address
        connection = (
            http.client.HTTPConnection(host, port, timeout=self._answer_timeout)
            if tls is None
            else http.client.HTTPSConnection(host, port, timeout=self._answer_timeout, context=tls)
        )
        try:
            shown = {"Authorization": f"Bearer {self._token.strip()}"} if self._token else {}
            connection.request("GET", path, headers=shown)
            return loads(connection.getresponse().read())
        finally:
            connection.close()

    def close(self) -> None:
        """Ends the connection. Accepted tasks go on."""
        self._is_closed = True
        shut(self._stream)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, request: Dict[str, Any], *, wants_end: bool) -> _Asked:
        """Says one line; what is said about it comes in the futures."""
        asked = self._enter(request, wants_end=wants_end)
        self._send(asked.line)
        return asked

    def _enter(self, request: Dict[str, Any], *, wants_end: bool, events: "Optional[queue.Queue[Any]]" = None) -> _Asked:
        with self._lock:
            self._next += 1
            request["ref"] = self._next
            asked = _Asked((dumps(request) + "\n").encode(), wants_end)
            asked.events = events
            self._asked[self._next] = asked
        return asked

    def _send(self, lines: bytes) -> None:
        if self._is_closed:
            raise ConnectionLost("the client is closed")
        stream = self._stream
        try:
            if stream is not None:
                stream.sendall(lines)
        except OSError:
            # Whoever reads finds out, connects again, and says it once more.
            shut(stream)

    def _first(self, asked: _Asked) -> Dict[str, Any]:
        try:
            return asked.first.result(self._answer_timeout + self._reconnect_for)
        except FutureTimeout:
            raise ConnectionLost("the server does not answer") from None

    def _read(self) -> None:
        while not self._is_closed:
            stream = self._stream
            if stream is not None:
                for lines in lines_of(stream):
                    for line in lines:
                        self._take(loads(line))
                shut(stream)
            if self._is_closed or not self._reconnect():
                break
        self._fail(ConnectionLost("the connection was lost"))

    def _reconnect(self) -> bool:
        give_up = time.monotonic() + self._reconnect_for
        attempt = 0
        while not self._is_closed and time.monotonic() < give_up:
            try:
                stream = self._address.connect(self._connect_timeout, self._token)
            except OSError:
                time.sleep(pause(attempt, 2.0))
                attempt += 1
                continue
            with self._lock:
                self._stream = stream
                again = b"".join(asked.line for asked in self._asked.values())
            # From another thread: answers are read meanwhile.
            threading.Thread(target=self._send, args=(again,), daemon=True).start()
            return True
        return False

    def _take(self, said: Dict[str, Any]) -> None:
        ref = said.get("ref")
        asked = self._asked.get(ref) if isinstance(ref, int) else None
        if asked is None or not isinstance(ref, int):
            return
        if asked.events is not None and "error" not in said:
            asked.events.put(said)
            return
        if "error" in said and "status" not in said:
            refused = Refused(said["error"], said.get("task_id"))
            self._forget(ref)
            if asked.events is not None:
                asked.events.put(refused)
            for future in (asked.first, asked.end):
                if future is not None and not future.done():
                    future.set_exception(refused)
            return
        if not asked.first.done():
            asked.first.set_result(said)
            is_ack = "result" not in said and "reason" not in said and "result_ref" not in said
            if asked.end is None:
                self._forget(ref)
            if asked.end is None or is_ack:
                return
        is_end = said.get("status") in ENDS and not said.get("duplicate")
        if is_end and asked.end is not None and not asked.end.done():
            self._forget(ref)
            asked.end.set_result(said)

    def _forget(self, ref: int) -> None:
        with self._lock:
            self._asked.pop(ref, None)

    def _fail(self, error: Exception) -> None:
        with self._lock:
            left = list(self._asked.values())
            self._asked.clear()
        for asked in left:
            if asked.events is not None:
                asked.events.put(error)
            for future in (asked.first, asked.end):
                if future is not None and not future.done():
                    future.set_exception(error)
