"""Fixtures that only the tests of BigQuery use; what they import takes a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.bigquery import Dataset, Emulator


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Give this worker's emulator."""
    from support.bigquery import Emulator  # noqa: PLC0415

    with Emulator(tmp_path_factory.mktemp("emulator")) as started:
        yield started


@pytest.fixture
def dataset(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dataset]:
    """Give a dataset of this test's own; whatever opens a warehouse here is led to it."""
    from support.bigquery import Dataset  # noqa: PLC0415

    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", emulator.host)
    made = Dataset(emulator.host)
    yield made
    made.drop()
