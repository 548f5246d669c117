"""Runs on this machine keep their log lines: the command's and a served function's; the cloud's do not."""

from __future__ import annotations

import json
import logging
import subprocess
from typing import TYPE_CHECKING, Any

from support.processes import BIN

from shared.cli.hooks import derive_of
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.logs import log

if TYPE_CHECKING:
    from support.world import World

LABELS = "logging.googleapis.com/labels"


def command(world: World, *words: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Type a command as a person does, without settings of the log."""
    return subprocess.run(
        [BIN / "tcdatalogger", *words],
        env=world.environ(LOG_FORMAT=None, **changes),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def kept(world: World) -> list[dict[str, Any]]:
    """Return the lines beside the archive."""
    files = sorted((world.folder / "logs").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_served_function_keeps_what_it_logs(world: World) -> None:
    """Line by line what standard error has, and the command shows the run."""
    with world.function("items") as function:
        assert function.deliver(message_id="11") == 200
        assert kept(world) == function.lines()
    done = command(world, "logs", "--run", "11")
    assert "items/global/11: ok: " in done.stdout


def test_the_command_keeps_lines_that_it_does_not_show(world: World) -> None:
    """Each endpoint's own process appends; the terminal has the command's own words alone."""
    done = command(world, "run", "--all")
    assert done.returncode == 0, done.stderr
    assert "logging.googleapis.com" not in done.stdout + done.stderr
    lines = kept(world)
    assert {line[LABELS]["endpoint"] for line in lines} == {run["endpoint"] for run in world.runs()}
    records = [line["run"] for line in lines if "run" in line]
    assert sorted(record["run_id"] for record in records) == sorted(run["run_id"] for run in world.runs())
    (crimes,) = [line for line in lines if line.get("run", {}).get("endpoint") == "crimes"]
    shown = command(world, "logs", "--endpoint", "crimes").stdout
    assert crimes["message"] in shown
    assert crimes["run"]["run_id"] in shown


def test_the_level_is_that_of_the_lines_that_are_kept(world: World) -> None:
    """LOG_LEVEL brings them back to the terminal, and says which are kept."""
    done = command(world, "run", "items", LOG_LEVEL="DEBUG")
    assert "DEBUG" in done.stderr
    assert "DEBUG" in {line["severity"] for line in kept(world)}


def test_the_function_that_a_run_borrows_leaves_the_log_alone(monkeypatch):
    """Importing an endpoint's main.py configures logging; a simulated run's lines go on where they went."""
    handlers = [logging.NullHandler()]
    monkeypatch.setattr(log, "handlers", handlers)
    monkeypatch.setattr(log, "level", logging.WARNING)
    assert derive_of(load_endpoint(find_endpoints()["currency"])) is not None
    assert log.handlers is handlers
    assert log.level == logging.WARNING


def test_in_the_cloud_no_file_is_written(world: World) -> None:
    """Standard error is what Cloud Logging reads."""
    with world.function("items", K_SERVICE="items", PUBSUB_EMULATOR_HOST=None) as function:
        assert function.deliver(message_id="11") == 200
        assert function.lines()
    assert not (world.folder / "logs").exists()


def test_a_folder_that_cannot_be_written_fails_no_run(world: World) -> None:
    """The rows are there, and one sentence says what is not."""
    (world.folder / "logs").write_text("a file", encoding="utf-8")
    done = command(world, "run", "items")
    assert done.returncode == 0, done.stderr
    assert world.outcomes() == ["ok"]
    assert done.stderr.count("log lines are not kept in") == 1
