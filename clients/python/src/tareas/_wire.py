"""The wire: addresses, ids, lines in and out."""

from __future__ import annotations

import json
import os
import random
import socket
import ssl
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
    tls: Optional[ssl.SSLContext] = None

    @classmethod
    def parse(cls, text: str, ca: Optional[str] = None) -> "Address":
        """Reads ``tcp://HOST:PORT`` or ``tls://HOST:PORT``; scheme and port may be left out. With
        TLS the server has to prove its name, by a certificate that the system trusts, or one of
        those in the PEM file ``ca``."""
        rest = text.split("://", 1)[-1].rstrip("/")
        tls = ssl.create_default_context(cafile=ca) if text.startswith(("tls://", "https://")) else None
        if rest.startswith("["):
            host, _, port = rest[1:].partition("]")
            return cls(host, int(port.lstrip(":") or PORT), tls)
        host, colon, port = rest.rpartition(":")
        if not colon:
            return cls(rest, PORT, tls)
        return cls(host, int(port), tls)

    def connect(self, timeout: float, token: Optional[str] = None) -> socket.socket:
        """A connection that sends at once what it is given, and has shown the token first."""
        stream = socket.create_connection((self.host, self.port), timeout)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls is not None:
            stream = secured(self.tls, stream, self.host)
        if token:
            stream.sendall((dumps({"cmd": "auth", "token": token.strip()}) + "\n").encode())
        stream.settimeout(None)
        return stream


class _Secured:
    """A TLS connection that one thread reads while others write: the session is used by one at a
    time, and nobody holds it while the network is slow."""

    def __init__(self, context: ssl.SSLContext, stream: socket.socket, host: str) -> None:
        self._stream = stream
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._using, self._leaving, self._sending = threading.Lock(), threading.Lock(), threading.Lock()
        while True:
            try:
                self._session.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                self._receive()
            except ssl.SSLError:
                # What is wrong is told to the other side, too.
                self._flush()
                stream.close()
                raise
        self._flush()

    def _flush(self) -> None:
        with self._leaving:
            with self._using:
                encrypted = self._outgoing.read()
            if encrypted:
                self._stream.sendall(encrypted)

    def _receive(self) -> None:
        encrypted = self._stream.recv(READ_BYTES)
        with self._using:
            if encrypted:
                self._incoming.write(encrypted)
            else:
                self._incoming.write_eof()

    def recv(self, most: int) -> bytes:
        while True:
            try:
                with self._using:
                    return self._session.read(most)
            except ssl.SSLWantReadError:
                self._flush()
                self._receive()
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                return b""

    def sendall(self, data: bytes) -> None:
        with self._sending:
            rest = memoryview(data)
            while rest:
                with self._using:
                    count = self._session.write(rest)
                self._flush()
                rest = rest[count:]

    def settimeout(self, timeout: Optional[float]) -> None:
        self._stream.settimeout(timeout)

    def shutdown(self, how: int) -> None:
        self._stream.shutdown(how)

    def close(self) -> None:
        self._stream.close()


def secured(context: ssl.SSLContext, stream: socket.socket, host: str) -> socket.socket:
    """The same connection, encrypted, once the server has proved its name."""
    try:
        return _Secured(context, stream, host)  # type: ignore[return-value]
    except BaseException:
        stream.close()
        raise


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


