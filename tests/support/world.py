"""A place for one test: an invented faction, an archive, a warehouse, and functions that collect."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import duckdb
import msgspec
import yaml
from cloudevents.http import CloudEvent

from shared.archive import Manifest
from shared.collector import Collector
from shared.endpoint_file import load_endpoint
from shared.settings import Settings
from support.framework import Function, push_body
from support.processes import ROOT, environment, unmeasured

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from shared.simulator.server import ApiServer

__all__ = ["ENDPOINTS", "Clock", "World", "accounts", "declared", "message"]

ENDPOINTS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/endpoint.yaml"))


def declared(endpoint: str) -> dict[str, Any]:
    """Return an endpoint.yaml as it stands."""
    text = (ROOT / "functions" / endpoint / "endpoint.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


class Clock:
    """A simulator's clock: it stands still until it is moved."""

    def __init__(self, now: float | None = None) -> None:
        self.now = float(int(time.time() if now is None else now))

    def __call__(self) -> float:
        return self.now


class World:
    """Where everything of one test is; ``api`` is the simulator that the functions ask."""

    def __init__(
        self,
        folder: Path,
        api: ApiServer,
        *,
        clock: Clock | None = None,
        key: str | None = None,
        measured: bool = False,
    ) -> None:
        self.folder = folder
        self.api = api
        self.clock = clock or Clock()
        self.key = key or api.key
        #: Whether coverage looks into the functions too, which makes them take half as long again.
        self.measured = measured
        self.database = folder / "warehouse.duckdb"
        self.archive = folder / "archive"
        self._started = 0

    def beside(self, name: str, *, copy_archive: bool = False) -> World:
        """Return a place with the same API and another warehouse, with a copy of what was read if asked."""
        folder = self.folder / name
        folder.mkdir()
        other = World(folder, self.api, clock=self.clock, key=self.key, measured=self.measured)
        if copy_archive:
            shutil.copytree(self.archive, other.archive)
        return other

    def environ(self, **changes: str | None) -> dict[str, str]:
        """Return the environment of a process that collects here."""
        settings: dict[str, str | None] = {
            "WAREHOUSE": f"duckdb:{self.database}",
            "ARCHIVE": f"file:{self.archive}",
            "TORN_API_URL": self.api.url,
            "TORN_API_KEY": self.key,
            "LOG_FORMAT": "json",
            **({} if self.measured else unmeasured()),
        }
        return environment(**(settings | changes))

    @contextmanager
    def function(self, name: str, *, from_root: bool = False, **changes: str | None) -> Iterator[Function]:
        """Serve an endpoint's function."""
        self._started += 1
        folder = self.folder / f"{name}-{self._started}"
        with Function(name, folder=folder, env=self.environ(**changes), from_root=from_root) as function:
            function.listens(function.port)
            yield function

    @contextmanager
    def functions(self, name: str, count: int, **changes: str | None) -> Iterator[list[Function]]:
        """Serve an endpoint's function in several processes."""
        with ExitStack() as stack:
            yield [stack.enter_context(self.function(name, **changes)) for _ in range(count)]

    def collect(self, endpoint: str, **sent: Any) -> None:
        """Collect here from what was read already, in this process: a run that nothing disturbs."""
        event = CloudEvent({"type": "test", "source": "test"}, push_body(**sent))
        collector = Collector(
            load_endpoint(ROOT / "functions" / endpoint / "endpoint.yaml"), Settings.read(self.environ())
        )
        assert collector.handle(event).outcome == "ok"

    def query(self, sql: str, parameters: list[Any] | None = None) -> list[dict[str, Any]]:
        """Return a query's rows, every value as text or None."""
        return self.queries([sql], parameters)[0]

    def queries(
        self, asked: Iterable[str], parameters: list[Any] | None = None
    ) -> list[list[dict[str, Any]]]:
        """Return the rows of several queries, of one state; to open the database takes longest."""
        asked = list(asked)
        deadline = time.monotonic() + 20
        while True:
            try:
                with duckdb.connect(str(self.database), read_only=True) as connection:
                    connection.execute("SET TimeZone = 'UTC'")
                    return [_rows(connection, sql, parameters) for sql in asked]
            except duckdb.IOException as error:
                # A function holds the file for the moment of its writing.
                if "lock" not in str(error).lower() or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def runs(self, run_id: str | None = None) -> list[dict[str, Any]]:
        """Return the ledger's attempts, oldest first."""
        if not self.database.exists():
            return []
        if run_id is None:
            return self.query("SELECT * FROM runs ORDER BY started_at")
        return self.query("SELECT * FROM runs WHERE run_id = ? ORDER BY started_at", [run_id])

    def outcomes(self, run_id: str | None = None) -> list[str]:
        """Return the attempts' outcomes, oldest first."""
        return [run["outcome"] for run in self.runs(run_id)]

    def tables(
        self,
        endpoint: str,
        *,
        without: tuple[str, ...] = (),
        account: str | None = None,
        run: str | None = None,
    ) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of an endpoint's tables, in an order of their own; of one account or run alone."""
        left_out = f"EXCLUDE ({', '.join(without)})" if without else ""
        only = f"WHERE _account = '{account}'" if account else ""
        only = f"WHERE ends_with(_run_id, '/{run}')" if run else only
        names = list(declared(endpoint)["tables"])
        found = self.queries(f"SELECT * {left_out} FROM {name} {only} ORDER BY ALL" for name in names)
        return dict(zip(names, found, strict=True))

    def manifests(self) -> dict[str, Manifest]:
        """Return what the archive's manifests list, by run id."""
        found = [
            msgspec.json.decode(file.read_bytes(), type=Manifest)
            for file in self.archive.rglob("manifest.json")
        ]
        return {manifest.run_id: manifest for manifest in found}

    def asked(self) -> int:
        """Return how many requests the API has had."""
        return len(self.api.requests)


def _rows(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any] | None
) -> list[dict[str, Any]]:
    cursor = connection.execute(f"SELECT COLUMNS(*)::VARCHAR FROM ({sql})", parameters)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def accounts(names: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the settings that give every name an account with a key of its own, and the keys.

    What one process remembers of a key (its calls of the last minute, that it is dead) then stays apart.
    """
    keys = {name: "K" + hashlib.sha256(name.encode()).hexdigest()[:15] for name in names}
    named = {name: {"key": f"key-{name}"} for name in keys}
    variables = {f"KEY_{name.upper().replace('-', '_')}": key for name, key in keys.items()}
    return {"ACCOUNTS": json.dumps(named), **variables}, keys


def message(**fields: object) -> bytes:
    """Return a message's data."""
    return json.dumps(fields).encode()
