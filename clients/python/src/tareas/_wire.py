"""The wire: addresses, ids, lines in and out."""

from __future__ import annotations

import json
import os
import random
import socket
import threading
import time
from typing import Iterator, List, NamedTuple, Optional, Tuple

READ_BYTES = 256 * 1024
PORT = 5000

dumps = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
loads = json.loads


class Address(NamedTuple):
    """Where a server is."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Reads ``tcp://HOST:PORT``; scheme and port may be left out."""
        rest = text.split("://", 1)[-1].rstrip("/")
        if text.startswith(("tls://", "https://")):
            raise ValueError("TLS is not supported yet")
        if rest.startswith("["):
            host, _, port = rest[1:].partition("]")
            return cls(host, int(port.lstrip(":") or PORT))
        host, colon, port = rest.rpartition(":")
        if not colon:
            return cls(rest, PORT)
        return cls(host, int(port))

    def connect(self, timeout: float, token: Optional[str] = None) -> socket.socket:
        """A connection that sends at once what it is given, and has shown the token first."""
        stream = socket.create_connection((self.host, self.port), timeout)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if token:
            stream.sendall((dumps({"cmd": "auth", "token": token.strip()}) + "\n").encode())
        stream.settimeout(None)
        return stream


_lock = threading.Lock()
_last: Tuple[int, int] = (0, 0)


def uuid7() -> str:
    """A UUID, version 7, in order within this process. Every task has one before it is sent, so
    sending it again makes no second task."""
    global _last
    now = time.time_ns() // 1_000_000
    with _lock:
        millis, count = _last
        if now <= millis:
            now, count = millis, count + 1
        else:
            count = random.getrandbits(20)
        if count >= 1 << 26:
            now, count = now + 1, 0
        _last = (now, count)
    # 12 + 14 bits of the counter, then chance.
    high = (now << 16) | 0x7000 | (count >> 14)
    low = (0b10 << 62) | ((count & 0x3FFF) << 48) | int.from_bytes(os.urandom(6), "big")
    digits = f"{(high << 64) | low:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def lines_of(stream: socket.socket) -> Iterator[List[bytes]]:
    """Lines as they come, many at a time, until the connection ends."""
    rest = b""
    while True:
        try:
            chunk = stream.recv(READ_BYTES)
        except OSError:
            return
        if not chunk:
            return
        lines = (rest + chunk).split(b"\n") if rest else chunk.split(b"\n")
        rest = lines.pop()
        if lines:
            yield lines


def pause(attempt: int, most: float = 5.0) -> float:
    """How long to wait before the next try to connect: longer each time, and by chance, so that
    those who lost one server do not come back as one."""
    return min(most, 0.1 * 2.0 ** min(attempt, 10)) * random.uniform(0.2, 1.0)


def shut(stream: Optional[socket.socket]) -> None:
    """Closes a connection, also under a thread that reads it."""
    if stream is None:
        return
    try:
        stream.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    stream.close()


