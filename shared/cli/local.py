"""What the command works on: the real API when a key is set, else a simulated faction.

Simulated rows never mix with real ones: they have a database and an archive of their own.
"""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shared.cli.near import unknown
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.logs import configure
from shared.schedule import rfc3339, slot_name
from shared.settings import ROOT, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shared.collector import Collector
    from shared.endpoint import Endpoint

__all__ = [
    "Local",
    "Message",
    "faction",
    "local",
    "make_collector",
    "one_endpoint",
    "shown",
    "shown_warehouse",
]

_SIMULATED = {
    "WAREHOUSE": "duckdb:data/simulated/warehouse.duckdb",
    "ARCHIVE": "file:data/simulated/archive",
}


@dataclass(frozen=True, slots=True)
class Local:
    """The settings, and whether the faction is simulated; ``key`` is the simulated faction's."""

    settings: Settings
    simulated: bool
    key: str = ""

    def configure(self) -> None:
        """Set logging up as a person at a terminal wants it."""
        # A person reads the command's own words; LOG_LEVEL brings the log lines back.
        shown = None if os.environ.get("LOG_LEVEL") else "CRITICAL"
        at = self.settings
        configure(at.log_format, at.log_level, shown=shown, folder=at.log_folder)


def local(environ: Mapping[str, str] = os.environ) -> Local:
    """Return what the environment asks for; nothing in it asks for a simulated faction."""
    real = ("TORN_API_KEY", "TORN_API_URL", "KEY_SECRET_PREFIX", "ACCOUNTS")
    simulated = not any(environ.get(name) for name in real)
    here = Local(Settings.read({**_SIMULATED, **environ} if simulated else environ), simulated)
    here.configure()
    return here


@contextmanager
def faction(here: Local) -> Iterator[Local]:
    """Yield where to collect; while inside, the simulated faction answers if there is one."""
    if not here.simulated:
        yield here
        return
    # Deployed functions carry no simulator, and a real run need not import it.
    from shared.simulator import Simulator  # noqa: PLC0415

    with Simulator() as simulator:
        settings = replace(here.settings, torn_api_url=simulator.url)
        yield replace(here, settings=settings, key=simulator.key)


def make_collector(endpoint: Endpoint, here: Local, **options: Any) -> Collector:
    """Return the collector of an endpoint; ``options`` are ``Collector``'s own."""
    # Arrow and requests, most of a command's CPU: not for what only starts processes, or asks.
    from shared.collector import Collector  # noqa: PLC0415
    from shared.keys import EnvironmentKeys, KeyRing  # noqa: PLC0415

    keys = KeyRing(EnvironmentKeys({"TORN_API_KEY": here.key})) if here.key else None
    return Collector(endpoint, here.settings, keys=keys, **options)


class Message(dict[str, Any]):
    """A Pub/Sub message as the functions framework would hand it over."""

    def __init__(self, body: bytes, *, slot: datetime | None = None) -> None:
        from base64 import b64encode  # noqa: PLC0415

        now = datetime.now(UTC)
        identity = f"{'scheduled' if slot else 'manual'}-{slot_name(now)}-{secrets.token_hex(2)}"
        when = rfc3339(slot or now)
        super().__init__(id=identity, time=when)
        message = {"data": b64encode(body).decode(), "messageId": identity, "publishTime": when}
        self.data = {"message": {**message, "attributes": {"origin": "schedule"} if slot else {}}}


def one_endpoint(name: str) -> Endpoint:
    """Return the endpoint of this name.

    Raises:
        click.UsageError: there is none.
        EndpointInvalid: its file has mistakes.
    """
    files = find_endpoints()
    if name not in files:
        raise click.UsageError(unknown("endpoint", name, files))
    return load_endpoint(files[name])


def shown_warehouse(here: Local) -> str:
    """Return where the rows are, as a person knows the place."""
    kind, _, place = here.settings.warehouse.partition(":")
    return shown(Path(place)) if kind == "duckdb" else here.settings.warehouse


def shown(path: Path) -> str:
    """Return a path as a person types it from the repository's root."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
