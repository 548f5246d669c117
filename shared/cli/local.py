"""What the command works on: the real API when a key is set, else a simulated faction.

Simulated rows never mix with real ones: they have a database and an archive of their own.
"""

from __future__ import annotations

import logging
import os
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from shared.collector import Collector
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.keys import EnvironmentKeys, KeyRing
from shared.logs import configure, log
from shared.schedule import rfc3339, slot_name
from shared.settings import ROOT, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from shared.endpoint import Endpoint

__all__ = ["Local", "Message", "faction", "local", "one_endpoint", "shown"]

_SIMULATED = {
    "WAREHOUSE": "duckdb:data/simulated/warehouse.duckdb",
    "ARCHIVE": "file:data/simulated/archive",
}


@dataclass(frozen=True, slots=True)
class Local:
    """The settings, and whether the faction is simulated."""

    settings: Settings
    simulated: bool


def local(environ: Mapping[str, str] = os.environ) -> Local:
    """Return what the environment asks for; nothing in it asks for a simulated faction."""
    real = ("TORN_API_KEY", "TORN_API_URL", "KEY_SECRET_PREFIX", "ACCOUNTS")
    simulated = not any(environ.get(name) for name in real)
    settings = Settings.read({**_SIMULATED, **environ} if simulated else environ)
    configure(settings.log_format, settings.log_level)
    if not environ.get("LOG_LEVEL"):
        # A person reads the command's own words; LOG_LEVEL brings the log lines back.
        log.setLevel(logging.CRITICAL)
    return Local(settings, simulated)


@contextmanager
def faction(here: Local) -> Iterator[Callable[..., Collector]]:
    """Yield a maker of collectors; while inside, the simulated faction answers if there is one."""
    if not here.simulated:
        yield lambda endpoint, **options: Collector(endpoint, here.settings, **options)
        return
    # Deployed functions carry no simulator, and a real run need not import it.
    from shared.simulator import Simulator  # noqa: PLC0415

    with Simulator() as simulator:
        settings = replace(here.settings, torn_api_url=simulator.url)
        keys = KeyRing(EnvironmentKeys({"TORN_API_KEY": simulator.key}))
        yield lambda endpoint, **options: Collector(endpoint, settings, keys=keys, **options)


class Message(dict[str, Any]):
    """A Pub/Sub message as the functions framework would hand it over."""

    def __init__(self, body: bytes, *, name: str | None = None) -> None:
        from base64 import b64encode  # noqa: PLC0415

        now = datetime.now(UTC)
        identity = name or f"manual-{slot_name(now)}-{secrets.token_hex(2)}"
        super().__init__(id=identity, time=rfc3339(now))
        self.data = {
            "message": {"data": b64encode(body).decode(), "messageId": identity, "publishTime": rfc3339(now)}
        }


def one_endpoint(name: str) -> Endpoint:
    """Return the endpoint of this name.

    Raises:
        click.UsageError: there is none.
        EndpointInvalid: its file has mistakes.
    """
    files = find_endpoints()
    if name not in files:
        raise click.UsageError(f"There is no endpoint {name!r}. There are: {', '.join(files)}.")
    return load_endpoint(files[name])


def shown(path: Path) -> str:
    """Return a path as a person types it from the repository's root."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
