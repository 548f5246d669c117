"""A cold start imports only what a run needs: what is heavy comes when it is used, or never."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

_HEAVY = (
    "click",
    "duckdb",
    "google.api_core",
    "google.auth",
    "google.cloud",
    "grpc",
    "jsonschema",
    "numpy",
    "pandas",
    "pyarrow.compute",
    "pyarrow.parquet",
    "rich",
    "shared.cli",
    "shared.openapi",
    "shared.simulator",
)


# Namespaces, which have no file, cost nothing.
_TELL = (
    "import json, sys;"
    "print(json.dumps([n for n in sys.modules if getattr(sys.modules[n], '__file__', None)]))"
)


def _imported(code: str) -> list[str]:
    told = subprocess.run(
        [sys.executable, "-c", f"{code}; {_TELL}"],
        check=True,
        capture_output=True,
        text=True,
    )
    found: list[str] = json.loads(told.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def collector():
    return _imported("import shared.collector")


@pytest.mark.parametrize("heavy", _HEAVY)
def test_importing_the_collector_imports_nothing_heavy(collector, heavy):
    """A function that has not been asked for anything yet has not paid for it."""
    assert [name for name in collector if name == heavy or name.startswith(f"{heavy}.")] == []


def test_a_warehouse_imports_its_driver_when_it_is_opened():
    """DuckDB is imported where a DuckDB file is named, not before."""
    code = "from shared.warehouse import open_warehouse; open_warehouse('duckdb:no-such-file')"
    assert "duckdb" in _imported(code)


def test_simulating_is_not_imported_for_a_real_run():
    """The command imports the simulator only where it is to answer."""
    assert not [name for name in _imported("import shared.cli.run") if name.startswith("shared.simulator")]
