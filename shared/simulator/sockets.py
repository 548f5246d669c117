"""Keep the sockets: a thread per connection, and a way to close them all.

The standard server leaves kept-alive connections open when it is closed; a test that stops it would leak
them.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from contextlib import suppress
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any

from shared.simulator.handler import Handler

if TYPE_CHECKING:
    from shared.simulator.server import ApiServer

__all__ = ["SocketServer"]

_PATIENCE = 5  # seconds for a thread to notice that its connection is closed


class SocketServer(ThreadingHTTPServer):
    """Listen, and know every open connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], *, api: ApiServer) -> None:
        self.api = api
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server who this machine is, as the standard HTTP server would."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, then serve it in a thread."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection, then forget it."""
        super().shutdown_request(request)
        with self._lock:
            self._open.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over clients that went away; show anything else."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def close(self) -> None:
        """Close the listening socket and every connection, and wait until their threads have let go."""
        self.server_close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + _PATIENCE
        while self._open and time.monotonic() < deadline:
            time.sleep(0.002)
