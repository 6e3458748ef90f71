"""The worker: handlers in Python, run for a server by threads or processes.

One thread reads, one writes, and ``threads`` of them run handlers. Results are kept until the
server says that they are recorded; when the connection is lost the worker comes back and goes on
with what it holds. Reports travel many to a line, so short tasks are cheap.
"""

from __future__ import annotations

import base64
import inspect
import itertools
import mimetypes
import multiprocessing
import os
import signal
import socket
import threading
import time
import traceback
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Callable, Deque, Dict, List, Optional, Sequence, Tuple, Union

from ._wire import Address, dumps, lines_of, loads, pause, shut
from .errors import Interrupted, Rejected, Retry

Handler = Callable[..., Any]
Key = Tuple[str, int]

LINE_ITEMS = 512
LINE_CHARS = 256 * 1024
PIECE_CHARS = 128 * 1024
PIECE_BYTES = 96 * 1024
HOARD_MAX = 0.3
SILENT_BEATS = 3
BATCH_MAX = 32
BATCH_SECONDS = 0.001

# What child processes find by name after a fork.
_HANDLERS: Dict[str, Handler] = {}


def _run_in_child(kind: str, payload: Any) -> Any:
    return _HANDLERS[kind](payload)


class Context:
    """One running attempt, as its handler sees it."""

    __slots__ = (
        "task_id",
        "attempt",
        "kind",
        "queue",
        "metadata",
        "traceparent",
        "tracestate",
        "deadline",
        "_worker",
        "_stop",
        "_files",
    )

    def __init__(self, worker: "Worker", given: Dict[str, Any]) -> None:
        self.task_id: str = given["task_id"]
        self.attempt: int = given["attempt"]
        self.kind: str = given["kind"]
        self.queue: str = given["queue"]
        self.metadata: Dict[str, str] = given.get("metadata", {})
        # The span of the submission, in a trace across programs.
        self.traceparent: Optional[str] = given.get("traceparent")
        self.tracestate: Optional[str] = given.get("tracestate")
        self.deadline: float = time.monotonic() + given["deadline_ms"] / 1000
        self._worker = worker
        self._stop = threading.Event()
        self._files: Dict[str, Tuple[str, bytes]] = {}

    @property
    def cancelled(self) -> bool:
        """Whether the attempt is asked to end."""
        return self._stop.is_set()

    def check(self) -> None:
        """Raises :class:`Interrupted` when the attempt is asked to end."""
        if self._stop.is_set():
            raise Interrupted("the attempt is asked to end")

    def sleep(self, seconds: float) -> None:
        """Sleeps, but not longer than until the attempt is asked to end."""
        if self._stop.wait(seconds):
            self.check()

    def remaining(self) -> float:
        """Seconds left of the time limit."""
        return max(0.0, self.deadline - time.monotonic())

    def progress(self, percent: float, message: str = "") -> None:
        """Tells how far it is, from 0 to 100."""
        said = f',"percent":{min(100.0, max(0.0, float(percent)))!r},"message":{dumps(message)}'
        self._worker._say((self.task_id, self.attempt), "progress", said)

    def log(self, text: str) -> None:
        """Adds to the task's log."""
        self._worker._say((self.task_id, self.attempt), "log", f',"text":{dumps(text)}')

    def output(self, text: str) -> None:
        """Shows a piece of what there is of the result so far to whoever follows the task."""
        self._worker._say((self.task_id, self.attempt), "output", f',"text":{dumps(text)}')

    def attach(self, name: str, data: Union[bytes, str], media_type: Optional[str] = None) -> None:
        """Keeps a file with the result, if the attempt succeeds. At most 64 files of 64 MiB
        together; a second one of the same name takes the place of the first."""
        content = data.encode() if isinstance(data, str) else bytes(data)
        guessed = media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._files[name] = (guessed, content)


class Worker:
    """A pool of threads or processes that runs the tasks of a server."""

    def __init__(
        self,
        server: str = "tcp://127.0.0.1:5000",
        *,
        token: Optional[str] = None,
        ca: Optional[str] = None,
        name: str = "",
        queues: Sequence[str] = (),
        labels: Sequence[str] = (),
        threads: int = 1,
        processes: int = 0,
        prefetch: int = 2048,
        drain_grace: float = 30.0,
    ) -> None:
        self._address = Address.parse(server, ca)
        self._token = token or os.environ.get("TAREAS_TOKEN")
        self._name = name or f"python-{os.getpid()}"
        self._queues, self._labels = list(queues), list(labels)
        self._processes = processes
        self._slots = processes or threads
        self._prefetch = prefetch
        self._grace = drain_grace
        self._handlers: Dict[str, Tuple[Handler, bool]] = {}
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._out = threading.Condition(self._lock)
        self._waiting: Deque[Tuple[float, Dict[str, Any]]] = deque()
        self._held: Dict[Key, str] = {}
        self._running: Dict[Key, Context] = {}
        self._items: List[str] = []
        #: The line whose answer settles it, the line itself, what ends with it.
        self._sent: Deque[List[Any]] = deque()
        self._endings: List[Key] = []
        self._next_line = 1
        self._resume: Optional[str] = None
        self._stream: Optional[socket.socket] = None
        self._has_session = threading.Event()
        self._beat = 5.0
        self._heard = time.monotonic()
        self._is_draining = False
        self._has_left = False
        self._smoothed = 1.0
        self._pool: Optional[ProcessPoolExecutor] = None

    def task(self, name: Any = None) -> Any:
        """Registers a handler: ``@app.task`` or ``@app.task("name")``.

        It is called with the payload, or with a :class:`Context` and the payload when it takes
        two arguments. In a pool of processes it is called with the payload alone.
        """

        def register(handler: Handler, kind: Optional[str] = None) -> Handler:
            arguments = [p for p in inspect.signature(handler).parameters.values() if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
            kind = kind or handler.__name__
            self._handlers[kind] = (handler, len(arguments) > 1)
            _HANDLERS[kind] = handler
            return handler

        if callable(name):
            return register(name)
        return lambda handler: register(handler, name)

    def run(self) -> None:
        """Works until SIGTERM or SIGINT: then what runs may end, and all of it is recorded. A
        second signal gives back what still runs."""
        stop = threading.Event()
        hurry = threading.Event()

        def told(*_: object) -> None:
            (hurry if stop.is_set() else stop).set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, told)
        self.start()
        while not stop.wait(0.2):
            pass
        self.stop(hurry=hurry)

    def start(self) -> None:
        """Starts the threads and returns; for programs that have a main loop of their own."""
        if not self._handlers:
            raise ValueError("a worker needs a handler at least")
        if self._processes:
            self._pool = self._new_pool()
        for target, count in ((self._serve, self._slots), (self._stay_connected, 1), (self._write, 1)):
            for _ in range(count):
                threading.Thread(target=target, name="tareas-worker", daemon=True).start()

    def wait_connected(self, timeout: float = 10.0) -> bool:
        """Waits until the server knows this worker."""
        return self._has_session.wait(timeout)

    def stop(self, hurry: Optional[threading.Event] = None) -> None:
        """Takes nothing more, lets what runs end within the grace, and leaves."""
        with self._lock:
            self._is_draining = True
            for _, given in self._waiting:
                self._append((given["task_id"], given["attempt"]), "release", "")
            self._waiting.clear()
            self._out.notify_all()
        until = time.monotonic() + self._grace
        while self._running and time.monotonic() < until and not (hurry and hurry.is_set()):
            time.sleep(0.02)
        with self._lock:
            for key, context in list(self._running.items()):
                context._stop.set()
                self._append(key, "release", "")
            self._out.notify_all()
        until = time.monotonic() + 5
        while self._held and time.monotonic() < until:
            time.sleep(0.02)
        with self._lock:
            self._has_left = True
            self._out.notify_all()
            self._work.notify_all()
        time.sleep(0.05)
        shut(self._stream)
        if self._pool is not None:
            self._pool.shutdown(wait=False)

    # Running.

    def _serve(self) -> None:
        while True:
            with self._lock:
                while not self._waiting:
                    if self._has_left:
                        return
                    self._work.wait()
                share = -(-len(self._waiting) // self._slots)
                batch = min(share, BATCH_MAX, max(1, int(BATCH_SECONDS / self._smoothed)))
                taken = [self._waiting.popleft()[1] for _ in range(batch)]
                contexts = [Context(self, given) for given in taken]
                for context in contexts:
                    self._running[context.task_id, context.attempt] = context
            endings = []
            for context, given in zip(contexts, taken):
                endings.append(self._run(context, given["payload"]))
            with self._lock:
                for context, (key, command, said) in zip(contexts, endings):
                    self._running.pop(key, None)
                    if command == "done" and context._files:
                        self._append_files(key, context._files)
                    self._append(key, command, said)
                self._out.notify()

    def _run(self, context: Context, payload: Any) -> Tuple[Key, str, str]:
        key = (context.task_id, context.attempt)
        if context._stop.is_set():
            return key, "release", ""
        began = time.perf_counter()
        try:
            result = dumps(self._call(context, payload))
        except Interrupted:
            return key, "release", ""
        except Retry as error:
            after = "" if error.after is None else f',"retry_after_ms":{int(error.after * 1000)}'
            return key, "fail", self._failure(error, True) + after
        except Rejected as error:
            return key, "fail", self._failure(error, False)
        except Exception as error:  # A handler may raise anything; it costs its attempt.
            return key, "fail", self._failure(error, True)
        took = time.perf_counter() - began
        self._smoothed = max(1e-6, self._smoothed * 0.97 + took * 0.03 if self._smoothed < 1 else took)
        return key, "done", f',"run_us":{int(took * 1e6)},"result":{result}'

    def _call(self, context: Context, payload: Any) -> Any:
        handler, wants_context = self._handlers[context.kind]
        pool = self._pool
        if pool is not None:
            try:
                return pool.submit(_run_in_child, context.kind, payload).result()
            except BrokenProcessPool:
                self._pool = self._new_pool()
                raise
        return handler(context, payload) if wants_context else handler(payload)

    def _new_pool(self) -> ProcessPoolExecutor:
        method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
        return ProcessPoolExecutor(self._processes, mp_context=multiprocessing.get_context(method))

    @staticmethod
    def _failure(error: BaseException, retryable: bool) -> str:
        trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        told = {"name": type(error).__name__[:128], "message": str(error)[:4000], "backtrace": trace[-16_000:]}
        return f',"error":{dumps(told)},"retryable":{"true" if retryable else "false"}'

    # Saying.

    def _say(self, key: Key, command: str, said: str) -> None:
        with self._lock:
            self._append(key, command, said)
            self._out.notify()

    def _append(self, key: Key, command: str, said: str) -> None:
        """One item of the next line; nothing when the attempt is not held any more."""
        lease = self._held.get(key)
        if lease is None:
            return
        about = f'"task_id":"{key[0]}","attempt":{key[1]},"lease":"{lease}"'
        if command == "done" and len(said) > LINE_CHARS:
            head, _, result = said.partition(',"result":')
            for start in range(0, len(result), PIECE_CHARS):
                piece = dumps(result[start : start + PIECE_CHARS])
                self._items.append(f'{{"cmd":"output",{about},"chunk":{piece}}}')
            said = head
        self._items.append(f'{{"cmd":"{command}",{about}{said}}}')
        if command in ("done", "fail", "release"):
            self._endings.append(key)

    def _append_files(self, key: Key, files: Dict[str, Tuple[str, bytes]]) -> None:
        for name, (media_type, content) in files.items():
            about = f',"name":{dumps(name)},"type":{dumps(media_type)},"chunk":"'
            for start in range(0, max(1, len(content)), PIECE_BYTES):
                chunk = base64.b64encode(content[start : start + PIECE_BYTES]).decode()
                self._append(key, "artifact", f'{about}{chunk}"')

    def _lines(self) -> List[bytes]:
        """Closes what was said into lines, which are kept until they are answered."""
        items, endings = self._items, self._endings
        self._items, self._endings = [], []
        lines: List[bytes] = []
        start, first = 0, len(self._sent)
        while start < len(items):
            end, size = start, 0
            while end < len(items) and end - start < LINE_ITEMS and (end == start or size + len(items[end]) < LINE_CHARS):
                size += len(items[end])
                end += 1
            line = f'{{"cmd":"many","ref":{self._next_line},"items":[{",".join(items[start:end])}]}}\n'.encode()
            # The endings are known to be recorded when the last line of them is answered.
            self._sent.append([self._next_line, line, endings if end == len(items) else []])
            self._next_line += 1
            lines.append(line)
            start = end
        # A server keeps pieces for a connection only: they are said again until all is recorded.
        for entry in itertools.islice(self._sent, first, None):
            entry[0] = self._next_line - 1
        return lines

    def _write(self) -> None:
        spoke = time.monotonic()
        told_drain = False
        while True:
            with self._lock:
                if not (self._items and self._has_session.is_set()) and not self._has_left:
                    self._out.wait(0.1)
                lines: List[bytes] = []
                if self._has_session.is_set():
                    lines = self._lines()
                    if self._is_draining and not told_drain:
                        lines.append(b'{"cmd":"beat","slots":0}\n')
                        told_drain = True
                    elif not lines and time.monotonic() - spoke > self._beat / 2:
                        lines.append(b'{"cmd":"beat"}\n')
                    if time.monotonic() - self._heard > self._beat * SILENT_BEATS:
                        shut(self._stream)
                has_left, stream = self._has_left, self._stream
                if has_left:
                    lines.append(b"exit\n")
                self._stop_hoarding()
            if lines and stream is not None:
                spoke = time.monotonic()
                try:
                    stream.sendall(b"".join(lines))
                except OSError:
                    shut(stream)
            if has_left:
                return

    def _stop_hoarding(self) -> None:
        """Gives back what has waited too long to begin: others may be free."""
        late = time.monotonic() - HOARD_MAX
        while self._waiting and self._waiting[-1][0] < late:
            _, given = self._waiting.pop()
            self._append((given["task_id"], given["attempt"]), "release", "")

    # Listening.

    def _stay_connected(self) -> None:
        attempt = 0
        lost_at = time.monotonic()
        while not self._has_left:
            try:
                if self._converse():
                    attempt, lost_at = 0, time.monotonic()
            except (OSError, ValueError, KeyError):
                pass
            self._has_session.clear()
            shut(self._stream)
            if time.monotonic() - lost_at > self._beat * SILENT_BEATS:
                self._give_up_all()
            time.sleep(pause(attempt))
            attempt += 1

    def _converse(self) -> bool:
        """Speaks over one connection until it ends; whether there was a session on it."""
        stream = self._address.connect(5.0, self._token)
        self._stream = stream
        with self._lock:
            hello: Dict[str, Any] = {
                "cmd": "work",
                "name": self._name,
                "queues": self._queues,
                "kinds": list(self._handlers),
                "labels": self._labels,
                "slots": 0 if self._is_draining else self._slots,
                "prefetch": self._prefetch,
                "holding": [[task, attempt, lease] for (task, attempt), lease in self._held.items()],
            }
            if self._resume:
                hello["resume"] = self._resume
        stream.sendall((dumps(hello) + "\n").encode())
        had_session = False
        for lines in lines_of(stream):
            now = self._heard = time.monotonic()
            assigned: List[Dict[str, Any]] = []
            for line in lines:
                told = loads(line)
                event = told.get("event")
                if event == "assign":
                    assigned.append(told)
                elif event == "session":
                    had_session = True
                    self._begin(stream, told)
                elif event == "cancel":
                    self._given(assigned, now)
                    assigned = []
                    self._cancel((told["task_id"], told["attempt"]))
                elif "recorded" in told:
                    self._answered(told["ref"])
                elif "error" in told and (not had_session or told["error"].get("name") == "session_lost"):
                    return had_session
            self._given(assigned, now)
        return had_session

    def _begin(self, stream: socket.socket, told: Dict[str, Any]) -> None:
        for task, attempt, _ in told.get("drop", []):
            self._drop((task, attempt))
        with self._lock:
            self._resume = told["resume"]
            self._beat = max(0.1, told["beat_ms"] / 1000)
            again = b"".join(line for _, line, _ in self._sent)
        if again:
            stream.sendall(again)
        self._has_session.set()

    def _given(self, assigned: List[Dict[str, Any]], now: float) -> None:
        if not assigned:
            return
        with self._lock:
            for given in assigned:
                key = (given["task_id"], given["attempt"])
                self._held[key] = given["lease"]
                if self._is_draining:
                    self._append(key, "release", "")
                else:
                    self._waiting.append((now, given))
            self._work.notify(len(assigned))

    def _answered(self, reference: int) -> None:
        with self._lock:
            while self._sent and self._sent[0][0] <= reference:
                for key in self._sent.popleft()[2]:
                    self._held.pop(key, None)

    def _take_waiting(self, key: Key) -> bool:
        for entry in self._waiting:
            if (entry[1]["task_id"], entry[1]["attempt"]) == key:
                self._waiting.remove(entry)
                return True
        return False

    def _cancel(self, key: Key) -> None:
        with self._lock:
            if self._take_waiting(key):
                self._append(key, "release", "")
                self._out.notify()
            elif key in self._running:
                self._running[key]._stop.set()

    def _drop(self, key: Key) -> None:
        with self._lock:
            self._held.pop(key, None)
            if not self._take_waiting(key) and key in self._running:
                self._running[key]._stop.set()

    def _give_up_all(self) -> None:
        with self._lock:
            self._waiting.clear()
            for context in self._running.values():
                context._stop.set()
