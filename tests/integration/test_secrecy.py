"""The key is in no log line, no URL, no archived object and no byte of the database, whatever happens."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pytest
from support.world import World, accounts, message

from shared.simulator import FAULTS, FOREVER, Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.framework import Function

#: Faults after which a process asks nothing more for a while: they get processes of their own.
CLOSING = {"error-8", "error-9", "error-24", "flat-8", "flat-9", "flat-24", "html-403", "endless-new"}

_LOUD = '''\
"""Let every library log all it can, as a person in despair would."""

import logging

logging.basicConfig(level=logging.DEBUG)
for _name in ("urllib3", "urllib3.connectionpool", "requests", "http.client", "pybreaker"):
    logging.getLogger(_name).setLevel(logging.DEBUG)
'''


class Place(NamedTuple):
    """Where the faults of this file strike, each with a key of its own."""

    world: World
    keys: dict[str, str]
    settings: dict[str, str]
    function: Function


def loud(folder: Path) -> dict[str, str]:
    """Return the settings under which everything is logged that can be."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(_LOUD, encoding="utf-8")
    return {"PYTHONPATH": str(folder), "LOG_LEVEL": "DEBUG", "GUNICORN_LOG_LEVEL": "debug"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Give a process that logs all it can."""
    with Simulator(calls_per_minute=10_000) as api:
        world = World(tmp_path_factory.mktemp("secrecy"), api)
        settings, keys = accounts(FAULTS)
        settings |= loud(world.folder / "loud") | {"RUN_TIMEOUT": "0.7"}
        with world.function("crimes", **settings) as function:
            yield Place(world, keys, settings, function)


def told(
    world: World, *secrets: str, account: str | None = None, known: dict[Path, int] | None = None
) -> set[str]:
    """Return every place that holds one of the secrets, also in the forms that headers and URLs give it.

    With ``account`` the tables are read for that account alone; ``known`` holds how much of each log and
    archived object was there before the secret was used.
    """
    plain = [secret.encode() for secret in secrets]
    encoded = [base64.b64encode(one).rstrip(b"=") for one in plain]
    forms = re.compile(b"|".join(map(re.escape, [*plain, *encoded, *(one.hex().encode() for one in plain)])))
    found = {str(where) for where, data in places(world, account, known or {}) if forms.search(data)}
    assert not any(request.key_in_url for request in world.api.requests)
    return found


def places(world: World, account: str | None, known: dict[Path, int]) -> Iterator[tuple[object, bytes]]:
    """Yield all that was written, and where: files, objects unpacked, rows, URLs."""
    for file, size in sizes(world).items():
        # A database is rewritten in place; logs and objects only grow.
        before = 0 if file.name.startswith(world.database.name) else known.get(file, 0)
        if size > before:
            yield file, file.read_bytes()[before:]
            if file.suffix == ".zst":
                with pa.input_stream(str(file), compression="zstd") as stream:
                    yield f"{file}, unpacked", stream.read()
    for request in world.api.requests:
        yield "a URL", f"{request.path}?{request.query}".encode()
    columns = "SELECT table_name AS name, list(column_name) AS columns FROM duckdb_columns() GROUP BY ALL"
    tables = f"SELECT name, columns FROM ({columns}) WHERE name IN (SELECT table_name FROM duckdb_tables())"
    asked = {}
    for table in world.query(tables):
        own = next((one for one in ("_account", "account") if f"{one}," in table["columns"]), None)
        only = f"WHERE {own} = '{account}' OR {own} IS NULL" if account and own else ""
        asked[table["name"]] = f"SELECT * FROM {table['name']} {only}"
    for name, rows in zip(asked, world.queries(asked.values()), strict=True):
        yield name, repr(rows).encode()


def sizes(world: World) -> dict[Path, int]:
    """Return every file and its size."""
    return {path: path.stat().st_size for path in sorted(world.folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("name", FAULTS)
def test_no_fault_makes_the_key_known(place: Place, name: str) -> None:
    """While a fault lasts, and when it has passed, the key that was used stands nowhere."""
    world, faults, key = place.world, place.world.api.faults, place.keys[name]

    known = sizes(world)

    def twice(function: Function) -> None:
        faults.add("crimes", name, times=FOREVER)
        try:
            function.deliver(message(account=name), message_id="only")
        finally:
            faults.clear()
        function.deliver(message(account=name), message_id="again")

    if name in CLOSING:
        with world.function("crimes", **place.settings) as function:
            twice(function)
    else:
        twice(place.function)
    struck = [request for request in world.api.requests if request.fault == name]
    assert struck
    assert {request.key for request in struck} == {hashlib.sha256(key.encode()).hexdigest()[:8]}
    assert world.query("SELECT * FROM runs WHERE account = ?", [name])
    assert told(world, key, account=name, known=known) == set()


def test_the_search_finds_what_is_there(world: World) -> None:
    """The search of these tests is no formality: what is in logs, archive, database and URL is found."""
    with world.function("crimes", LOG_LEVEL="DEBUG") as function:
        assert function.deliver(message_id="visible0message0") == 200
    places = told(world, "visible0message0")
    assert any("stderr" in place for place in places)
    assert any("manifest" in place for place in places)
    assert {"runs", "crimes"} <= set(places)
    name = world.tables("crimes")["crimes"][0]["name"]
    assert any(place.endswith("unpacked") for place in told(world, name))
    assert "a URL" in told(world, "sort=DESC")


def test_urllib3_logs_its_requests_in_these_tests(place: Place) -> None:
    """The libraries' own logging is really on, so that its silence about the key means something."""
    place.function.deliver(b"no", message_id="refused")
    assert place.function.deliver(message(account="slow"), message_id="loud") == 200
    assert "urllib3.connectionpool" in place.function.stderr
    assert "/v2/faction/crimes?" in place.function.stderr
    assert told(place.world, place.keys["slow"]) == set()


def test_none_of_these_keys_is_told_in_the_end(place: Place) -> None:
    """All that this file's process has written, read once more from beginning to end, holds none of them."""
    assert told(place.world, *place.keys.values()) == set()


@pytest.mark.parametrize("key", ["Wrong0Key0000001", "TooShort", "Longer0Than0Sixteen0Characters0"])
def test_a_wrong_key_is_not_told(world: World, key: str) -> None:
    """A key that the API refuses is told to nobody."""
    world.api.keys = type(world.api.keys)(accepted=["Right0Key0000001"])
    with world.function("crimes", TORN_API_KEY=key, **loud(world.folder / "loud")) as function:
        assert function.deliver(message_id="m") == 200
    (run,) = world.runs()
    assert (run["outcome"], run["error_class"]) == ("failed", "StopKey")
    assert run["next_step"]
    assert told(world, key) == set()


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("FirstHalf0\nSecondHalf0", ["FirstHalf0", "SecondHalf0"]),
        ("FirstHalf0\r\nX-Header: SecondHalf0", ["FirstHalf0", "SecondHalf0"]),
        ("First Half0 Second", ["Half0 Second"]),
        ('"Quoted0Key000001"', ["Quoted0Key000001"]),
        ("Schl\N{LATIN SMALL LETTER U WITH DIAERESIS}ssel00000001", ["ssel00000001"]),
    ],
    ids=["line-end", "header", "space", "quotes", "not-ascii"],
)
def test_a_malformed_key_is_not_told_and_not_sent(world: World, key: str, parts: list[str]) -> None:
    """What can be no key is refused before it is sent, and not shown."""
    with world.function("crimes", TORN_API_KEY=key, **loud(world.folder / "loud")) as function:
        assert function.deliver(message_id="m") == 200
    (run,) = world.runs()
    assert run["outcome"] == "failed"
    assert "TORN_API_KEY" in run["error_message"]
    assert world.asked() == 0
    assert told(world, key, *parts) == set()


def test_a_line_end_at_the_end_of_a_key_is_no_part_of_it(world: World) -> None:
    """What `echo key` leaves behind a key is cut off."""
    with world.function("crimes", TORN_API_KEY=f" {world.key}\n") as function:
        assert function.deliver(message_id="m") == 200
    assert world.outcomes() == ["ok"]
    assert told(world, world.key) == set()


def test_no_key_at_all_is_said_plainly(world: World) -> None:
    """Without a key the run fails with the name of what to set, and the API is not asked."""
    with world.function("crimes", TORN_API_KEY=None) as function:
        assert function.deliver(message_id="m") == 200
    (run,) = world.runs()
    assert (run["outcome"], run["error_class"]) == ("failed", "StopKey")
    assert "TORN_API_KEY" in run["next_step"]
    assert world.asked() == 0
