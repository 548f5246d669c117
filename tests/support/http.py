"""A real HTTP server on this machine that answers as a test scripts it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    Act = Callable[["Handler"], None]


@dataclass
class Answer:
    """An answer; ``act`` writes to the connection itself instead."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    act: Act | None = None


@dataclass
class Heard:
    """What the server was asked, when, and over which of its connections."""

    target: str
    headers: dict[str, str]
    at: float
    connection: int


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        answer = self.server.hear(self)
        if answer.act is not None:
            answer.act(self)
            return
        self.send_response(answer.status)
        if "Transfer-Encoding" not in answer.headers:
            self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class Server(ThreadingHTTPServer):
    """Gives its answers in order, and the last one for ever."""

    daemon_threads = False

    def __init__(self, *answers: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = list(answers) or [Answer()]
        self.heard: list[Heard] = []
        self.connections: list[socket.socket] = []
        self.busiest = 0
        self.gate = threading.Event()  # for answers that wait until the test has seen enough
        self._busy = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v2"

    def hear(self, handler: Handler) -> Answer:
        with self._lock:
            number = [c.fileno() for c in self.connections].index(handler.connection.fileno())
            self.heard.append(Heard(handler.path, dict(handler.headers), time.time(), number))
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = super().get_request()
        self.connections.append(connection)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # clients that hang up are what is tested

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gate.set()
        self.shutdown()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()
        self._thread.join()


def redirect(to: str) -> Answer:
    return Answer(b"", 302, {"Location": to})


def cut(sent: bytes, promised: int) -> Answer:
    """Promise more than is sent, then hang up."""

    def act(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (promised, sent))
        handler.close_connection = True

    return Answer(act=act)


def reset() -> Answer:
    """Break the connection off without a word."""

    def act(handler: Handler) -> None:
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        handler.close_connection = True

    return Answer(act=act)


def silence() -> Answer:
    """Say nothing until the test is over."""

    def act(handler: Handler) -> None:
        handler.server.gate.wait(10)
        handler.close_connection = True

    return Answer(act=act)


def drip(every: float, *, chunked: bool = False) -> Answer:
    """Send a byte now and then, of a body that never ends."""

    def act(handler: Handler) -> None:
        how = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 1000000"
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n%b\r\n\r\n" % how)
        if chunked:
            handler.wfile.write(b"f4240\r\n")
        handler.close_connection = True
        while not handler.server.gate.wait(every):
            handler.wfile.write(b" ")

    return Answer(act=act)
