"""Give the simulator's tests a client that shows everything: status, headers, bytes."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from shared.simulator.api import LiveSource
from shared.simulator.paging import Ask
from shared.simulator.world import FactionSize, World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shared.simulator.server import ApiServer

NOW = 1_777_308_831


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Hold what came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.body)


class SettableClock:
    """Be a clock that stands until it is moved."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def ask(
    api: ApiServer,
    path: str,
    *,
    key: str | None = None,
    method: str = "GET",
    body: bytes | None = None,
    timeout: float = 5,
) -> Reply:
    """Send one request over a connection of its own; ``path`` is below /v2, a whole URL, or /__x."""
    url = (
        path
        if path.startswith("http")
        else f"http://{api.address}{'' if path.startswith('/__') else '/v2'}{path}"
    )
    parts = urlsplit(url)
    headers = {"Authorization": f"ApiKey {api.key if key is None else key}"} if key != "" else {}
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    try:
        connection.request(
            method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, headers
        )
        with connection.getresponse() as response:
            return Reply(status=response.status, headers=dict(response.getheaders()), body=response.read())
    finally:
        connection.close()


def show(
    path: str, now: float, *, seed: int = 7, start: int = NOW, size: FactionSize | None = None, **params: Any
) -> Any:
    """Give what a path shows at a moment, without a server in between."""
    source = _source(seed, start, size or FactionSize())
    texts = {name.rstrip("_"): str(value) for name, value in params.items()}
    return json.loads(source.body(Ask(path=path, params=texts, base="https://api.example/v2"), now))


@lru_cache(maxsize=32)
def _source(seed: int, start: int, size: FactionSize) -> LiveSource:
    """Give the one world of a seed, as a server has one: to seat its people anew takes longest."""
    return LiveSource(world=World(seed=seed, start=start, size=size), city=seed)


@pytest.fixture(name="show")
def _show() -> Callable[..., Any]:
    return show


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture(name="ask")
def _ask() -> Callable[..., Reply]:
    return ask
