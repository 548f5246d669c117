"""A job.yaml says what Terraform needs, and nothing else."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from shared.endpoint_file import find_endpoints
from shared.errors import FixConfiguration
from shared.job import find_jobs, load_job
from shared.settings import ROOT

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
name: tidy
description: Tidies.
every: P1D
permissions: [bigquery.tables.get]
"""


def written(folder: Path, text: str | bytes, name: str = "tidy") -> Path:
    file = folder / name / "job.yaml"
    file.parent.mkdir()
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def refused(file: Path) -> str:
    with pytest.raises(FixConfiguration) as raised:
        load_job(file)
    assert raised.value.next_step
    return raised.value.message


@pytest.mark.parametrize("name", find_jobs())
def test_every_job_of_the_repository_is_right(name):
    """Its file is read, its main.py has the entry point of its name, and no endpoint has the same name."""
    file = find_jobs()[name]
    job = load_job(file)
    assert job.name == name
    assert name not in find_endpoints()
    tree = ast.parse(file.with_name("main.py").read_text(encoding="utf-8"))
    assert name in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def test_there_is_the_backup():
    """Jobs are found by their being there."""
    assert "backup" in find_jobs()
    assert find_jobs()["backup"] == ROOT / "jobs" / "backup" / "job.yaml"


def test_what_is_not_said_has_a_default(tmp_path):
    """A function's usual memory and time, and no permissions but those that are listed."""
    job = load_job(written(tmp_path, GOOD))
    assert (job.memory, job.timeout, job.project_permissions) == ("512Mi", 540, ())
    assert job.permissions == ("bigquery.tables.get",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "colour: red\n", "line 5: Object contains unknown field `colour`"),
        (GOOD + "timeout: 601\n", "line 5: Expected `int` <= 600"),
        (GOOD + "memory: much\n", "line 5: Expected `str` matching regex"),
        (GOOD.replace("P1D", "P5D"), "line 3: every: found 'P5D' does not divide a day"),
        (GOOD.replace("bigquery.tables.get", "roles/owner"), "line 4: Expected `str` matching regex"),
        (
            GOOD.replace("tidy", "tidier"),
            "line 1: name: found 'tidier'; it must be the folder's name, 'tidy'",
        ),
        (GOOD + "every: PT1H\n", "every: stands twice, on lines 3 and 5"),
        ("", "line 1: Expected `object`, got `null`"),
        ("name: [", "is no YAML: "),
        (b"\xff", "is not UTF-8"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path, text, said):
    """What was found, and where."""
    file = written(tmp_path, text)
    message = refused(file)
    assert message.startswith(f"{file}: ")
    assert said in message


def test_an_absent_file_is_named(tmp_path):
    """A zip without its job.yaml says so."""
    assert refused(tmp_path / "job.yaml") == f"{tmp_path}/job.yaml: cannot be read: No such file or directory"
