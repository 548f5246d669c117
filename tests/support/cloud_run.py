"""Cloud Run on this machine: what a zip holds, run as a service, and the addresses that lead to it."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from support.framework import Function
from support.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["FrontDoor", "Service"]


class Service(Function):
    """A function as it is deployed: an unpacked zip, an environment of its packages, and nothing else."""

    def __init__(
        self, name: str, *, source: Path, packages: Path, folder: Path, settings: Mapping[str, str]
    ) -> None:
        """Start it.

        Args:
            name: The function's entry point.
            source: What was in its zip.
            packages: The virtual environment that its requirements are installed in.
            folder: Where its output goes.
            settings: Its variables, beside those that Cloud Run sets.
        """
        self.name, self.port, self.source = name, free_port(), source
        (folder / "home").mkdir(parents=True)
        super(Function, self).__init__(
            [packages / "bin" / "functions-framework", f"--target={name}", "--host=127.0.0.1"],
            folder=folder,
            cwd=source,
            env={
                "PATH": f"{packages / 'bin'}:/usr/bin:/bin",
                "HOME": str(folder / "home"),
                "K_SERVICE": name.replace("_", "-"),
                "PORT": str(self.port),
                **settings,
            },
        )

    @property
    def outcomes(self) -> list[str]:
        """Give how its runs ended, by its log lines."""
        return [line[key]["outcome"] for line in self.lines() for key in ("run", "job") if key in line]


class FrontDoor(ThreadingHTTPServer):
    """Leads what is posted to ``/HOST/PATH`` to the service of this host, as its public address would."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self._ports: dict[str, int] = {}
        #: What was posted: host and path.
        self.posted: list[str] = []

    @property
    def url(self) -> str:
        """Give what stands for ``https://`` in an address."""
        return f"http://127.0.0.1:{self.server_port}/"

    def lead(self, uri: str, service: Function) -> None:
        """Let an address lead to a service."""
        self._ports[str(urlsplit(uri).hostname)] = service.port

    def forward(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Post to a service; answer as Cloud Run does, 404 where there is none, 503 where it is silent."""
        host, _, rest = path.lstrip("/").partition("/")
        self.posted.append(f"{host}/{rest}")
        if host not in self._ports:
            return 404, b""
        connection = http.client.HTTPConnection("127.0.0.1", self._ports[host], timeout=600)
        try:
            connection.request("POST", f"/{rest}", body, {**headers, "Host": host})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError:
            return 503, b""
        finally:
            connection.close()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Door(BaseHTTPRequestHandler):
    server: FrontDoor

    def do_POST(self) -> None:
        """Hand a request on, and its answer back."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kept = {name: value for name, value in self.headers.items() if name.lower().startswith("content-")}
        status, answer = self.server.forward(self.path, body, kept)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's own name
        pass
