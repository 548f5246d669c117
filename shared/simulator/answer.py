"""Hold an HTTP answer and the ways to send one: whole, or broken as networks break them.

A sender gets the open connection and the answer; one that raises ``Hangup`` has the connection closed at
once.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

__all__ = ["Answer", "Connection", "Hangup", "cut", "dripped", "never", "padded", "reset", "whole"]

_MEGABYTE = 1 << 20
_DRIPS = 40


class Hangup(Exception):  # noqa: N818 - an instruction, not an error
    """Say that the connection is to be closed without another byte."""


class Connection(Protocol):
    """Be what a sender needs of the server's handler."""

    connection: socket.socket

    @property
    def stopping(self) -> threading.Event:
        """Give the event that is set when the server stops."""

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """Send status line and headers."""

    def write(self, data: bytes) -> None:
        """Send bytes of the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Hold what goes back to the client. ``amount`` is the sender's number: seconds or megabytes."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    send: Callable[[Connection, Answer], None] = field(default_factory=lambda: whole)
    amount: float = 0


def whole(connection: Connection, answer: Answer) -> None:
    """Send everything, as it should be."""
    connection.head(answer.status, {**answer.headers, "Content-Length": str(len(answer.body))})
    connection.write(answer.body)


def never(connection: Connection, answer: Answer) -> None:
    """Take the request and say nothing for ``amount`` seconds or until the server stops; then hang up."""
    connection.stopping.wait(answer.amount)
    raise Hangup


def dripped(connection: Connection, answer: Answer) -> None:
    """Send the body a few bytes at a time, over ``amount`` seconds."""
    connection.head(answer.status, {**answer.headers, "Content-Length": str(len(answer.body))})
    size = max(1, -(-len(answer.body) // _DRIPS))
    for start in range(0, len(answer.body), size):
        if connection.stopping.wait(answer.amount / _DRIPS):
            raise Hangup
        connection.write(answer.body[start : start + size])


def cut(connection: Connection, answer: Answer) -> None:
    """Promise the whole body, send half of it, hang up."""
    connection.head(answer.status, {**answer.headers, "Content-Length": str(len(answer.body))})
    connection.write(answer.body[: len(answer.body) // 2])
    raise Hangup


def reset(connection: Connection, _answer: Answer) -> None:
    """Hang up with a TCP reset before the first byte."""
    # Lingering for zero seconds makes closing send RST in place of FIN. Detached first: the handler's files
    # on the socket would put off its closing, and the server's orderly end would send FIN before.
    connection.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    socket.close(connection.connection.detach())
    raise Hangup


def padded(connection: Connection, answer: Answer) -> None:
    """Send the right body, then more than ``amount`` megabytes of white space, of a length not said.

    The JSON stays valid and nothing in the headers warns: only a client that counts what it reads is safe.
    """
    connection.head(answer.status, {**answer.headers, "Transfer-Encoding": "chunked"})
    blank = b" " * _MEGABYTE
    for data in (answer.body, *(blank for _ in range(int(answer.amount) + 1))):
        if connection.stopping.is_set():
            raise Hangup
        connection.write(b"%x\r\n%b\r\n" % (len(data), data))
    connection.write(b"0\r\n\r\n")
