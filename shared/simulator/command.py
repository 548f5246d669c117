"""Run the simulator until it is told to stop: what ``tcdatalogger simulate`` does."""

from __future__ import annotations

import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import msgspec

from shared.keys import variable
from shared.simulator.server import ApiServer, Replay, Simulator
from shared.simulator.world import FactionSize, World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shared.simulator.catalogue import Prices

__all__ = ["serve"]


def serve(  # noqa: PLR0913 - all by keyword, each an option of the command
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    seed: int = 7,
    crimes: int = 320,
    crimes_per_day: int = 4,
    prices: Prices = "value",
    replay: Sequence[str] = (),
    faults: Sequence[str] = (),
    factions: Mapping[str, int] | None = None,
    speed: float = 1,
    calls_per_minute: int = 100,
    announce: Callable[[str], object] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, then end without a traceback. For the main thread of a process.

    ``replay`` serves recordings in place of the invented faction; ``faults`` are texts
    ``NAME[=AMOUNT][@WHERE][:TIMES[:AFTER]]``; ``factions`` are seeds by key, for several factions side by
    side; ``speed`` is simulated seconds per second. When the server hears, one line is printed (or given to
    ``announce``): the settings that collect from it, the URL and the key, or the accounts and their keys. A
    fault or file that does not exist is a ValueError or OSError before anything is served.
    """
    clock = time.time if speed == 1 else _hurried(speed)
    api: ApiServer
    if replay:
        api = Replay(replay, clock=clock, calls_per_minute=calls_per_minute, host=host, port=port)
    else:
        api = Simulator(
            seed=seed,
            clock=clock,
            faction=FactionSize(crimes=crimes, crimes_per_day=crimes_per_day),
            prices=prices,
            factions=factions,
            calls_per_minute=calls_per_minute,
            host=host,
            port=port,
        )
    for text in faults:
        api.faults.add_text(text)
    # A shell starts background jobs with SIGINT ignored; this one can be stopped by either signal.
    before = {
        number: signal.signal(number, signal.default_int_handler)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with api:
            (announce or _print)(f"TORN_API_URL={api.url} {_keys(api, factions or {})}")
            threading.Event().wait()
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _keys(api: ApiServer, factions: Mapping[str, int]) -> str:
    """Write the settings that hold the keys as a shell takes them."""
    if len(factions) < 2 or isinstance(api, Replay):  # noqa: PLR2004
        return f"TORN_API_KEY={api.key}"
    accounts, keys = {}, []
    for number, (key, seed) in enumerate(factions.items(), start=1):
        name = f"key-faction-{number}"
        faction_id = World(seed=seed, start=0).faction_id
        accounts[f"faction-{number}"] = {"faction_id": faction_id, "key": name}
        keys.append(f"{variable(name)}={key}")
    return f"ACCOUNTS='{msgspec.json.encode(accounts).decode()}' {' '.join(keys)}"


def _hurried(speed: float) -> Callable[[], float]:
    start = time.time()
    return lambda: start + (time.time() - start) * speed


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
