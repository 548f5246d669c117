"""Run the simulator: a local HTTP server in threads of its own, used like an open file.

>>> with Simulator(seed=7) as sim:  # doctest: +SKIP
...     sim.faults.add("crimes", Fault.error(5), times=1)
...     collect(url=sim.url, key=sim.key)
...     assert [request.path for request in sim.requests] == ["/v2/faction/crimes"] * 4
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol, Self, TypedDict, Unpack

from shared.simulator.api import LiveSource
from shared.simulator.gate import Budget, Cache, Keys
from shared.simulator.plan import Faults
from shared.simulator.replay import Recordings
from shared.simulator.sockets import SocketServer
from shared.simulator.world import FactionSize, World

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from shared.simulator.catalogue import Prices
    from shared.simulator.handler import Request
    from shared.simulator.paging import Ask

__all__ = ["ApiServer", "Options", "Replay", "Simulator", "Source"]


class Source(Protocol):
    """Be where bodies come from: an invented world, or recordings."""

    def body(self, ask: Ask, now: float) -> bytes:
        """Give the body of an answer, or raise a Refusal."""


class Options(TypedDict, total=False):
    """Name what every server takes; see ``ApiServer``."""

    keys: Collection[str] | None
    calls_per_minute: int
    cache_seconds: float
    host: str
    port: int


class ApiServer:
    """Serve a source as the Torn API serves its data. Nothing is heard before ``start`` or ``with``.

    ``clock`` gives unix seconds and rules everything: data, cache, budget. ``keys`` are the good ones (any 16
    letters and digits, if None). ``port`` 0 takes any free one.
    """

    def __init__(  # noqa: PLR0913 - all by keyword, each with a default
        self,
        source: Source,
        *,
        clock: Callable[[], float] = time.time,
        keys: Collection[str] | None = None,
        calls_per_minute: int = 100,
        cache_seconds: float = 29,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.source = source
        self.now = clock
        self.keys = Keys(accepted=keys)
        self.budget = Budget(calls=calls_per_minute)
        self.cache = Cache(seconds=cache_seconds)
        self.faults = Faults()
        self.stopping = threading.Event()
        self._address = (host, port)
        self._requests: list[Request] = []
        self._sockets: SocketServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """Give host and port; the port is known once the server runs."""
        host, port = self._sockets.server_address[:2] if self._sockets else self._address
        return f"{host!s}:{port}"

    @property
    def url(self) -> str:
        """Give the base URL, ``/v2`` included."""
        return f"http://{self.address}/v2"

    @property
    def key(self) -> str:
        """Give a good key."""
        return next(iter(self.keys.accepted or ()), "SimulatedKey0001")

    @property
    def requests(self) -> list[Request]:
        """List the requests for the API so far, oldest first."""
        return list(self._requests)

    def record(self, request: Request) -> None:
        """Write a request down."""
        self._requests.append(request)

    def source_for(self, key: str) -> Source:  # noqa: ARG002 - here all keys see the same
        """Give the source that a key's owner sees."""
        return self.source

    def start(self) -> Self:
        """Begin to listen."""
        self.stopping.clear()
        self._sockets = SocketServer(self._address, api=self)
        self._thread = threading.Thread(
            target=self._sockets.serve_forever, kwargs={"poll_interval": 0.02}, name="simulator", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening, close every connection, end every thread. Stopping twice is no error."""
        self.stopping.set()
        if self._sockets and self._thread:
            self._sockets.shutdown()
            self._thread.join()
            self._sockets.close()
        self._sockets = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class Simulator(ApiServer):
    """Serve a faction that does not exist; seed, clock and size alone decide what it shows.

    ``factions`` puts several side by side: a faction's seed by the key of one of its members. What is the
    city's (items, points) is then the same for all keys. Without a list of ``keys``, these are the good ones;
    a further key sees the faction of ``seed``.
    """

    def __init__(
        self,
        *,
        seed: int = 7,
        clock: Callable[[], float] = time.time,
        faction: FactionSize | None = None,
        prices: Prices = "value",
        factions: Mapping[str, int] | None = None,
        **options: Unpack[Options],
    ) -> None:
        def live(own: int) -> LiveSource:
            world = World(seed=own, start=start, size=size)
            return LiveSource(world=world, city=seed, prices=prices)

        start, size = int(clock()), faction or FactionSize()
        self._sources = {key: live(own) for key, own in (factions or {}).items()}
        if factions:
            options.setdefault("keys", tuple(factions))
        default = live(seed)
        self.world = default.world
        super().__init__(default, clock=clock, **options)

    def source_for(self, key: str) -> Source:
        """Give the faction of a key's owner."""
        return self._sources.get(key, self.source)


class Replay(ApiServer):
    """Serve recorded bodies byte for byte. ``files`` are paths, or texts ``SEGMENT=PATH``."""

    def __init__(
        self,
        files: Iterable[str | Path],
        *,
        clock: Callable[[], float] = time.time,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(Recordings.read(files), clock=clock, **options)
