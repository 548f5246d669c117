"""A process that writes to BigQuery dies at any step, or is not alone: the rows end as of one clean run."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from support.bigquery import Dataset
from support.bigquery_proxy import Proxy
from support.bigquery_run import AFTER, older, rows, write
from support.processes import ROOT, Process, environment, killing, unmeasured
from support.tables import family
from support.writing import part, run

from shared.warehouse.bigquery_client import EMULATOR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.bigquery import Emulator

#: Mode, the line at which the process dies, and what the next delivery then says.
STEPS = [
    ("append", "loaded things", "things=2 parts=1"),
    ("append", "noted schema_versions", "things=2 parts=1"),
    ("append", "noted runs", "repeated"),
    ("merge", "loaded parts", "things=2 parts=1"),
    ("merge", "transaction of things", "things=2 parts=1"),
    ("merge", "noted runs", "repeated"),
    ("replace", "kept what", "things=2 parts=1"),
    ("replace", "transaction of things", "things=2 parts=1"),
]
AT_ONCE = [("append", "at once"), ("merge", "at once"), ("replace", "at once")]


@pytest.fixture(scope="module")
def there(emulator: Emulator) -> Iterator[Dataset]:
    """Give a dataset in which every run has older rows of its own: those of its account."""
    place = Dataset(emulator.host)
    older(place, [f"{mode} {line}" for mode, line, *_ in (*STEPS, *AT_ONCE)])
    yield place
    place.drop()


def writing(place: Dataset, host: str, mode: str, name: str, folder: Path, **settings: str | None) -> Process:
    """Start a process that writes a run."""
    path = os.pathsep.join([settings.pop("PYTHONPATH", None) or "", str(ROOT / "tests"), str(ROOT)])
    return Process(
        [sys.executable, "-m", "support.bigquery_run", host, place.name, mode, name],
        folder=folder,
        env=environment(**{**unmeasured(), **settings, EMULATOR: host, "PYTHONPATH": path.strip(os.pathsep)}),
    )


@pytest.mark.parametrize(
    ("mode", "line", "then"), STEPS, ids=[f"{mode}-{line.replace(' ', '_')}" for mode, line, _ in STEPS]
)
def test_killed_after_a_step_and_delivered_again(
    there: Dataset, tmp_path: Path, mode: str, line: str, then: str
) -> None:
    """The next delivery goes on from there; the one after it finds all done; each row is there once."""
    name = f"{mode} {line}"
    with writing(there, there.host, mode, name, tmp_path, **killing(tmp_path / "kill", line)) as process:
        assert process.wait() == -signal.SIGKILL
    assert write(there, mode, name) == then
    assert rows(there, name) == AFTER[mode]
    assert there.staged() == []
    assert write(there, mode, name) == "repeated"
    assert rows(there, name) == AFTER[mode]
    assert there.staged() == []
    there.tidy()


@pytest.mark.parametrize("mode", [mode for mode, _ in AT_ONCE])
def test_one_message_at_four_processes_is_one_run(there: Dataset, tmp_path: Path, mode: str) -> None:
    """Four processes write the same run at the same time: all end well, and each job is taken once."""
    name = f"{mode} at once"
    with Proxy(there.host) as proxy:
        processes = [writing(there, proxy.host, mode, name, tmp_path / str(number)) for number in range(4)]
        try:
            assert [process.wait(90) for process in processes] == [0] * 4
            said = [process.stdout.strip() for process in processes]
        finally:
            for process in processes:
                process.stop()
        assert set(said) <= {"repeated", "things=2 parts=1"}
        assert "things=2 parts=1" in said
        taken = [asked.job_id for asked in proxy.submitted if asked.status == 200]
        assert len(taken) == len(set(taken))
    assert rows(there, name) == AFTER[mode]
    assert there.staged() == []


@pytest.mark.parametrize("mode", ["merge", "replace"])
def test_a_reader_never_sees_a_table_by_half(dataset: Dataset, mode: str) -> None:
    """While runs follow each other, a reader finds one run's rows, whole, and their children."""
    declared = family(mode)
    things = [{"id": n} for n in range(20)]

    def write_run(number: int) -> None:
        parts = [part(n, 0, str(number)) for n in range(20)]
        run(dataset, declared, things, parts, name=f"r{number}", at=number)

    write_run(0)
    writer = threading.Thread(target=write_run, args=(1,))
    writer.start()
    seen = set()
    while writer.is_alive():
        found = dataset.query(
            "SELECT t._run_id AS t, p._run_id AS p, COUNT(*) AS n FROM things AS t "
            "LEFT JOIN parts AS p ON p.thing_id = t.id GROUP BY 1, 2"
        ).to_pylist()
        (one,) = found
        assert one["t"] == one["p"]
        assert one["n"] == 20
        seen.add(one["t"])
    writer.join()
    assert seen <= {"r0", "r1"}
