"""A zip alone is enough: its own requirements.txt, an empty environment, and it starts and answers."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest
from support import packages
from support.cloud_run import Service
from support.terraform import planned_sources

from shared.simulator import Simulator

if TYPE_CHECKING:
    from pathlib import Path

#: What only the laptop has, and what only development has.
ABSENT = ("duckdb", "rich", "sqlglot", "apscheduler", "pytest", "pip", "shared.cli", "shared.simulator")
#: An endpoint and a job; all zips are made in the same way.
NAMES = ("currency", "backup")


@pytest.fixture(name="zips", scope="module")
def _zips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Unpack zips, each into a folder that is named as the platform names it."""
    zips, folder = planned_sources(tmp_path_factory), tmp_path_factory.mktemp("unpacked")
    for name in NAMES:
        with zipfile.ZipFile(zips[name]) as file:
            file.extractall(folder / name / "workspace")
    return {name: folder / name / "workspace" for name in NAMES}


@pytest.fixture(name="environment", scope="module")
def _environment(zips: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packages.installed(zips["currency"] / "requirements.txt", tmp_path_factory)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_else_is_on_the_path(zips: dict[str, Path], environment: Path, name: str) -> None:
    """The package is found in the unpacked zip, its packages in the environment, and no more than that."""
    found = packages.asked(environment, zips[name], "main", "shared", "google.cloud.bigquery", *ABSENT)
    assert set(found) == {"main", "shared", "google.cloud.bigquery"}
    assert found["main"] == zips[name] / "main.py"
    assert found["shared"] == zips[name] / "shared" / "__init__.py"
    assert found["google.cloud.bigquery"].is_relative_to(environment)


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("name", "status"), [("currency", 500), ("backup", 200)])
def test_it_starts_and_answers(
    zips: dict[str, Path], environment: Path, tmp_path: Path, name: str, status: int
) -> None:
    """It reads the API into the archive; without BigQuery a run is asked for again."""
    settings = {
        "ARCHIVE": f"file:{tmp_path / 'archive'}",
        "WAREHOUSE": "bigquery:demo-project.torn",
        # Nobody is there to give credentials.
        "NO_GCE_CHECK": "true",
        "GCE_METADATA_HOST": "127.0.0.1:1",
        "GCE_METADATA_IP": "127.0.0.1:1",
    }
    with Simulator() as api:
        settings |= {"TORN_API_URL": api.url, "TORN_API_KEY": api.key}
        with Service(
            name, source=zips[name], packages=environment, folder=tmp_path / "service", settings=settings
        ) as service:
            service.listens(service.port)
            assert service.post(b"no message")[0] == 400
            assert service.deliver(message_id="1") == status
            said = service.lines()[-1]
    assert said["severity"] == "ERROR"
    assert "there are no credentials for BigQuery" in said["message"]
    archived = sorted(file.suffix for file in tmp_path.glob("archive/**/*") if file.is_file())
    assert archived == ([".json", ".zst"] if name == "currency" else [])
