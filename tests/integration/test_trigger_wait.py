"""`tcdatalogger trigger --wait`: the exit code says how the run that was asked for went."""

from __future__ import annotations

import subprocess
from itertools import count
from typing import TYPE_CHECKING

import pytest
from support.processes import BIN, environment
from support.pubsub import PROJECT, Emulator, emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.world import World

_numbers = count(1)


@pytest.fixture(scope="module")
def pubsub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Give the running emulator."""
    with emulator(tmp_path_factory.mktemp("pubsub")) as running:
        yield running


def trigger(world: World, pubsub: Emulator, topic: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Type the command where the function's warehouse is."""
    settings = {"PUBSUB_EMULATOR_HOST": pubsub.address, "GOOGLE_CLOUD_PROJECT": PROJECT}
    return subprocess.run(
        [BIN / "tcdatalogger", "trigger", "currency", f"--topic={topic}", *words],
        env={**world.environ(), **settings},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_a_run_that_goes_well_is_shown(pubsub: Emulator, world: World) -> None:
    """With what it wrote, also where nothing was collected before; the exit code is 0."""
    topic = pubsub.topic(f"waited-{next(_numbers)}")
    with world.function("currency") as function:
        subscription = pubsub.push_to(topic, function.url)
        done = trigger(world, pubsub, topic, "--wait=60")
        pubsub.remove(subscription)
    assert done.returncode == 0, done.stderr
    published, *attempts = done.stdout.splitlines()
    assert published.startswith("published ")
    identity = published.split()[1]
    assert attempts[-1].startswith(f"ok: currency/global/{identity}: ")
    assert "currency 1, currency_listings " in attempts[-1]


def test_a_run_that_fails_fails_the_command(pubsub: Emulator, world: World) -> None:
    """A dead key: what happened and what to do are shown, and the exit code is 1."""
    topic = pubsub.topic(f"waited-{next(_numbers)}")
    world.api.faults.add("pointsmarket", "error-13", times=10**6)
    with world.function("currency") as function:
        subscription = pubsub.push_to(topic, function.url)
        done = trigger(world, pubsub, topic, "--wait=60")
        pubsub.remove(subscription)
    assert done.returncode == 1
    assert "failed: currency/global/" in done.stdout
    assert " next: " in done.stderr.split("--follow", 1)[1]


def test_a_message_that_nobody_takes_is_said(pubsub: Emulator, world: World) -> None:
    """Time is up: no record, and where to look; with --json standard output is one JSON."""
    collected = [BIN / "tcdatalogger", "run", "currency"]
    subprocess.run(collected, env=world.environ(), capture_output=True, timeout=60, check=True)
    topic = pubsub.topic(f"waited-{next(_numbers)}")
    pubsub.pull_from(topic, f"waited-{next(_numbers)}")
    done = trigger(world, pubsub, topic, "--wait=1", "--json")
    assert done.returncode == 1
    assert "no run was recorded in 1 s" in done.stderr
    assert "tcdatalogger logs --run" in done.stderr
    assert done.stdout.count("\n") == 1
    assert done.stdout.startswith('{"message_id": ')


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["currency", "--wait=5"], "export WAREHOUSE=bigquery:PROJECT.DATASET first"),
        (["backup", "--wait=5"], "backup is a job, of which the ledger has no record"),
        (["currency", "--wait=0"], "0.0 is not in the range x>=1"),
    ],
)
def test_what_cannot_be_waited_for_is_refused(words: list[str], said: str) -> None:
    """Before anything is published."""
    done = subprocess.run(
        [BIN / "tcdatalogger", "trigger", *words],
        env=environment(GOOGLE_CLOUD_PROJECT=PROJECT, HOME="/nonexistent", NO_GCE_CHECK="true"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert done.stdout == ""
