"""What a warehouse notes of the versions that write to it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import duckdb
import pytest
from msgspec.structs import replace
from support.tables import batch, family

from shared.errors import FixConfiguration
from shared.released import declared_tables, fingerprint
from shared.warehouse import open_warehouse

if TYPE_CHECKING:
    from pathlib import Path

    from shared.endpoint import Endpoint
    from shared.warehouse import Warehouse

OLD = family("append")
NEW = replace(family("append", parts="description: Other words."), version=2)


@pytest.fixture(name="warehouse")
def _warehouse(tmp_path: Path) -> Warehouse:
    return open_warehouse(f"duckdb:{tmp_path / 'w.duckdb'}", wait=20)


def run(warehouse: Warehouse, declared: Endpoint, run_id: str, name: str | None = None) -> None:
    with warehouse.begin(declared, run_id, "default") as writer:
        writer.write("things", batch(declared, "things", [{"id": 1, "name": name}], run=run_id, at=0))
        writer.finish()
        writer.commit()


def versions(warehouse: Warehouse) -> list[tuple[int, str, str]]:
    found = warehouse.query(
        "SELECT version, run_id, fingerprint FROM schema_versions WHERE endpoint = 'things' ORDER BY seen_at"
    )
    return [tuple(row.values()) for row in found.to_pylist()]


def comment(warehouse: Warehouse) -> str:
    [row] = warehouse.query("SELECT comment FROM duckdb_tables() WHERE table_name = 'parts'").to_pylist()
    return str(row["comment"])


def test_versions_that_write_by_turns_are_noted_once_each(warehouse: Warehouse) -> None:
    """A rollback and two deploys at odds add nothing; the comments are those of the one that wrote last."""
    for n, declared in enumerate((OLD, NEW, OLD, NEW, OLD, OLD)):
        run(warehouse, declared, f"r{n}")
        assert comment(warehouse) == declared.tables["parts"].description
    marks = [fingerprint(declared_tables(declared)) for declared in (OLD, NEW)]
    assert versions(warehouse) == [(1, "r0", marks[0]), (2, "r1", marks[1])]


def test_two_writers_at_once_note_a_version_once(warehouse: Warehouse) -> None:
    """Each has the file to itself while it looks and writes."""
    threads = [threading.Thread(target=run, args=(warehouse, OLD, f"r{n}")) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(versions(warehouse)) == 1
    assert warehouse.query("SELECT count(*) AS n FROM things").to_pylist() == [{"n": 4}]


def test_a_column_that_was_relaxed_takes_null(warehouse: Warehouse) -> None:
    """REQUIRED → NULLABLE reaches a table that is there; a version that still requires it writes too."""
    things = OLD.tables["things"]
    name = replace(things.columns["name"], mode="REQUIRED")
    required = replace(things, columns={**things.columns, "name": name})
    strict = replace(OLD, tables={**OLD.tables, "things": required})
    run(warehouse, strict, "a", "x")
    run(warehouse, OLD, "b", None)
    run(warehouse, strict, "c", "y")
    rows = warehouse.query("SELECT name FROM things ORDER BY _run_id").to_pylist()
    assert [row["name"] for row in rows] == ["x", None, "y"]


def test_a_run_that_ends_without_a_commit_notes_no_version(warehouse: Warehouse) -> None:
    """The note is part of the transaction that makes the tables."""
    with warehouse.begin(OLD, "lost", "default"):
        pass
    run(warehouse, OLD, "kept")
    assert [run_id for _, run_id, _ in versions(warehouse)] == ["kept"]


def test_a_retyped_column_is_refused_by_the_warehouse_too(warehouse: Warehouse, tmp_path: Path) -> None:
    """Whatever went around the release check is stopped before a row is written, and noted nowhere."""
    run(warehouse, OLD, "a")
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute("ALTER TABLE things ALTER COLUMN name TYPE BIGINT USING NULL")
    with pytest.raises(FixConfiguration, match=r"things\.name is BIGINT"):
        run(warehouse, NEW, "b")
    assert [run_id for _, run_id, _ in versions(warehouse)] == ["a"]
