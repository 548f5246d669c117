"""A job as its job.yaml declares it: what runs on a schedule and collects nothing.

Terraform reads the same file, so it holds no more than Terraform needs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import msgspec
import yaml
from msgspec import Meta, Struct

from shared.errors import FixConfiguration
from shared.schedule import every
from shared.settings import ROOT
from shared.yaml_tree import YamlTree

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Job", "find_jobs", "load_job"]

JOBS = ROOT / "jobs"

#: The key that msgspec complains of.
_KEY = re.compile(r"(?:`\$\.|field `)(\w+)")
_Permission = Annotated[str, Meta(pattern=r"^[a-z]+\.[A-Za-z]+\.[A-Za-z]+$")]


class Job(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One job, as one file declares it."""

    #: Its folder's name, and so its function's, topic's and entry point's.
    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,127}$")]
    #: What it does, in a sentence.
    description: Annotated[str, Meta(min_length=1)]
    #: ISO-8601 duration that divides a day.
    every: str
    #: The function's memory.
    memory: Annotated[str, Meta(pattern=r"^\d+(Mi|Gi)$")] = "512Mi"
    #: Seconds that the function may take; Pub/Sub waits no longer than 600 for an acknowledgement.
    timeout: Annotated[int, Meta(ge=60, le=600)] = 540
    #: What its account may do to the dataset.
    permissions: tuple[_Permission, ...] = ()
    #: What its account may do to the project.
    project_permissions: tuple[_Permission, ...] = ()


def find_jobs(folder: Path = JOBS) -> dict[str, Path]:
    """Return the job.yaml of every job's folder, by name, sorted."""
    return {file.parent.name: file for file in sorted(folder.glob("*/job.yaml"))}


def load_job(file: Path) -> Job:
    """Read one job.yaml.

    Raises:
        FixConfiguration: with the line, what was found and what is allowed.
    """
    shown = str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file)
    try:
        tree = YamlTree(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise _wrong(shown, [f"cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise _wrong(shown, ["is not UTF-8"]) from error
    except yaml.YAMLError as error:
        raise _wrong(shown, [f"is no YAML: {str(error).replace(chr(10), ' ')}"]) from error
    problems = [f"line {tree.line(path)}: {'.'.join(path)}: {what}" for path, what in tree.problems]
    try:
        job = msgspec.convert(tree.data, Job)
    except msgspec.ValidationError as error:
        key = _KEY.search(str(error))
        raise _wrong(shown, [*problems, f"line {tree.line((key[1],) if key else ())}: {error}"]) from error
    try:
        every(job.every)
    except ValueError as error:
        problems.append(f"line {tree.line(('every',))}: every: found {error}")
    # In a function's zip the file stands at the root, whose folder has any name.
    folder = file.resolve().parent
    if folder != ROOT and job.name != folder.name:
        problems.append(
            f"line {tree.line(('name',))}: name: found {job.name!r}; "
            f"it must be the folder's name, {folder.name!r}"
        )
    if problems:
        raise _wrong(shown, problems)
    return job


def _wrong(shown: str, problems: list[str]) -> FixConfiguration:
    return FixConfiguration(
        f"{shown}: " + "; ".join(problems),
        next_step="correct the file; the class Job in shared/job.py has every key",
    )
