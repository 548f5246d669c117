"""Fixtures of the tests of whole processes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from coverage import Coverage

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from support.world import Clock, World


def pytest_configure(config: pytest.Config) -> None:
    """Let pass the one warning that is not ours: the framework's, of every message, from Python 3.12 on.

    And keep no log lines of what tests do in their own process: they would stand among a person's.
    """
    os.environ["LOG_FOLDER"] = "none"
    utcnow = r"datetime\.datetime\.utcnow\(\) is deprecated"
    module = r"functions_framework\.event_conversion"
    config.addinivalue_line("filterwarnings", f"ignore:{utcnow}:DeprecationWarning:{module}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Do not measure what a test runs that says so: it takes up to three times as long where it is."""
    measuring = Coverage.current() if item.get_closest_marker("unmeasured") else None
    if measuring is None:
        return (yield)
    measuring.stop()
    try:
        return (yield)
    finally:
        measuring.start()


@pytest.fixture
def clock() -> Clock:
    """Give the simulator's clock of this test."""
    from support.world import Clock  # noqa: PLC0415 - unit tests need none of this

    return Clock()


@pytest.fixture
def world(tmp_path: Path, clock: Clock) -> Iterator[World]:
    """Give a place of its own, with an API that hears."""
    from support.world import World  # noqa: PLC0415

    from shared.simulator import Simulator  # noqa: PLC0415

    with Simulator(clock=clock, calls_per_minute=10_000) as api:
        yield World(tmp_path, api, clock=clock)
