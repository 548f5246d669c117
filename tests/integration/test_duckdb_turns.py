"""Processes that write one DuckDB file at the same time lose nothing, and wait in bounds."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from support.processes import environment

from shared.backup.duckdb_files import opened
from shared.errors import StorageFailed, WarehouseBusy
from shared.warehouse.duckdb import DuckDBWarehouse
from shared.warehouse.turn import lock_file, turn

if TYPE_CHECKING:
    from pathlib import Path

PROCESSES, RECORDS = 4, 10
RECORD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from shared.warehouse.duckdb import DuckDBWarehouse

warehouse = DuckDBWarehouse(Path(sys.argv[1]))
row = {"attempt": "a", "endpoint": "e", "seen_at": datetime.now(UTC)}
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    warehouse.record({"drift": [row | {"run_id": f"{sys.argv[2]}/{number}"}]})
"""
HOLD = """
import sys
from pathlib import Path
from shared.warehouse.turn import turn

with turn(Path(sys.argv[1]), 1.0):
    print("held", flush=True)
    sys.stdin.readline()
"""


def started(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a process that has said it is there, and goes on when it is told."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def test_what_is_committed_stays(tmp_path: Path) -> None:
    """Four processes make a file and write it in turn: DuckDB by itself loses a commit in several hundred."""
    file = tmp_path / "w.duckdb"
    writers = [started(RECORD, file, number, RECORDS) for number in range(PROCESSES)]
    try:
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()
        assert [writer.wait(90) for writer in writers] == [0] * PROCESSES
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    found = DuckDBWarehouse(file).query("SELECT run_id FROM drift").column("run_id").to_pylist()
    assert sorted(found) == sorted(f"{writer}/{n}" for writer in range(PROCESSES) for n in range(RECORDS))


def test_a_turn_is_waited_for_in_bounds_and_then_taken(tmp_path: Path) -> None:
    """Who has it is named to all who would write; who reads does not wait; a killed process has none."""
    file = tmp_path / "w.duckdb"
    warehouse = DuckDBWarehouse(file, wait=0.2)
    warehouse.record({})
    holder = started(HOLD, file)
    try:
        said = rf"w\.duckdb was held by process {holder.pid} for more than 0 s.*WAREHOUSE_WAIT"
        with pytest.raises(WarehouseBusy, match=said):
            warehouse.record({})
        with pytest.raises(WarehouseBusy, match=said), opened(file, 0.2, writing=True):
            raise AssertionError
        with opened(file, 0.2):
            pass
        assert warehouse.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]
    finally:
        holder.kill()
        holder.communicate()
    warehouse.record({})
    assert lock_file(file).read_text() == str(os.getpid())


def test_threads_take_turns_too(tmp_path: Path) -> None:
    """A turn is one holder's within a process, too; and free again, however it ended."""
    file = tmp_path / "w.duckdb"
    with turn(file, 1.0):
        began = time.monotonic()
        with pytest.raises(WarehouseBusy, match=f"process {os.getpid()}"), turn(file, 0.1):
            raise AssertionError
        assert time.monotonic() - began < 5
    with pytest.raises(KeyError), turn(file, 1.0):
        raise KeyError
    with turn(file, 0.0):
        pass


def test_a_lock_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    """Nothing is written where nobody can say whose turn it is."""
    file = tmp_path / "w.duckdb"
    lock_file(file).mkdir()
    with pytest.raises(
        StorageFailed, match=r"w\.duckdb\.lock cannot be made: .*nothing was written.*WAREHOUSE"
    ):
        DuckDBWarehouse(file).record({})
    assert not file.exists()
