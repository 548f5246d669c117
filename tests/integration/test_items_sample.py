"""The recorded items of the game, served by the simulator, through the whole run, into a database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from shared.endpoint_file import find_endpoints, load_endpoint
from shared.simulator import Replay

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT.parent / "shared" / "data" / "torn-items-sample.json"
ITEMS = load_endpoint(find_endpoints()["items"])
RUN = """
from datetime import UTC, datetime
from cloudevents.http import CloudEvent
from shared.collector import Collector
now = datetime.now(UTC).isoformat()
event = CloudEvent(
    {"id": "1", "type": "google.cloud.pubsub.topic.v1.messagePublished", "source": "//test", "time": now},
    {"message": {"data": "", "messageId": "1", "publishTime": now}},
)
attempt = Collector.of("functions/items/main.py").handle(event)
assert attempt.outcome == "ok", (attempt.outcome, attempt.error)
"""


def _at(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if value is not None else None
    return value


def _collect(recording: Path, folder: Path) -> Callable[[str], list[tuple[Any, ...]]]:
    """Serve a recording, collect it in a process of its own, and return how to ask the database."""
    database = folder / "warehouse.duckdb"
    with Replay([recording]) as api:
        environment = {
            "PATH": os.environ["PATH"],
            "WAREHOUSE": f"duckdb:{database}",
            "ARCHIVE": f"file:{folder / 'archive'}",
            "TORN_API_URL": api.url,
            "TORN_API_KEY": api.key,
        }
        done = subprocess.run(
            [sys.executable, "-c", RUN],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr

    def query(sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(database), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    return query


@pytest.fixture(scope="module")
def sample() -> Path:
    """Give the recording, which is no part of the repository."""
    if not SAMPLE.exists():
        reason = f"the recorded items are not at {SAMPLE}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    return SAMPLE


@pytest.fixture(scope="module")
def records(sample: Path) -> list[dict[str, Any]]:
    """Give the recorded items as they are in the JSON."""
    found: list[dict[str, Any]] = json.loads(sample.read_text(encoding="utf-8"))["items"]
    return found


@pytest.fixture(scope="module")
def query(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[tuple[Any, ...]]]:
    """Collect the recording once."""
    return _collect(sample, tmp_path_factory.mktemp("items"))


def test_every_item_is_a_row(
    query: Callable[[str], list[tuple[Any, ...]]], records: list[dict[str, Any]]
) -> None:
    """All 1,485 of them, each once; none rejected, and nothing in the recording is unknown."""
    assert query("SELECT count(*), count(DISTINCT item_id) FROM items") == [(1_485, 1_485)]
    assert len(records) == 1_485
    assert query("SELECT count(*) FROM rejected_rows") == [(0,)]
    assert query("SELECT path, type FROM drift") == []
    assert query("SELECT outcome, records, rejected FROM runs") == [("ok", 1_485, 0)]


def test_every_value_is_the_recordings(
    query: Callable[[str], list[tuple[Any, ...]]], records: list[dict[str, Any]]
) -> None:
    """Counts, sums and nulls of every column are those of the JSON, and so is every single value."""
    columns = {
        n: c for n, c in ITEMS.tables["items"].columns.items() if c.from_ and not c.from_.startswith("$")
    }
    assert len(columns) == 17
    for name, column in columns.items():
        values = [_at(record, str(column.from_)) for record in records]
        present = [value for value in values if value is not None]
        assert query(f"SELECT count({name}), count(*) - count({name}) FROM items") == [
            (len(present), len(values) - len(present))
        ], name
        if column.type == "INTEGER":
            assert query(f"SELECT coalesce(sum({name}), 0) FROM items") == [(sum(present),)], name
        expected = [(record["id"], value) for record, value in zip(records, values, strict=True)]
        assert query(f"SELECT item_id, {name} FROM items ORDER BY item_id") == sorted(
            expected, key=lambda r: r[0]
        )


def test_the_newest_shape_of_prices(records: list[dict[str, Any]], tmp_path: Path) -> None:
    """Where the API lists shops and leaves the prices out, the shops are rows and the prices NULL."""
    newest = []
    for record in records[:50]:
        value = record["value"]
        vendor = value.get("vendor")
        shop = {
            "shop": _at(vendor, "name"),
            "country": _at(vendor, "country"),
            "buy_price": value["buy_price"],
        }
        shops = [shop | {"sell_price": None}] * (2 if vendor else 0)
        newest.append(record | {"value": {"market_price": value["market_price"], "shops": shops}})
    recording = tmp_path / "newest.json"
    recording.write_text(json.dumps({"items": newest}))
    query = _collect(recording, tmp_path)
    assert query("SELECT count(*), count(buy_price), count(sell_price), count(vendor_name) FROM items") == [
        (50, 0, 0, 0)
    ]
    assert query("SELECT sum(market_value) FROM items") == [
        (sum(one["value"]["market_price"] for one in newest),)
    ]
    expected = [
        (one["id"], one["name"], index, *shop.values())
        for one in newest
        for index, shop in enumerate(one["value"]["shops"])
    ]
    assert expected
    assert query(
        "SELECT item_id, name, shop_index, shop, country, buy_price, sell_price FROM items_shops ORDER BY ALL"
    ) == sorted(expected, key=lambda row: row[:3])
    assert query("SELECT path, type FROM drift") == []
