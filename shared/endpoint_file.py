"""Read an endpoint.yaml: the endpoint, or every mistake in it with its line.

The quick way is one strict decode. Only when it fails is the JSON Schema validator brought in, to
say everything that is wrong at once.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import msgspec
import yaml

from shared.endpoint import Endpoint
from shared.endpoint_form import endpoint_schema, form_problems, repaired, trusted
from shared.endpoint_rules import rule_problems
from shared.errors import EndpointInvalid
from shared.settings import ROOT
from shared.shape_tree import shape_problems
from shared.yaml_tree import Problem, YamlTree

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["endpoint_schema", "find_endpoints", "load_endpoint", "schema_text"]

FUNCTIONS = ROOT / "functions"


def find_endpoints(folder: Path = FUNCTIONS) -> dict[str, Path]:
    """Return the endpoint.yaml of every endpoint's folder, by name, sorted."""
    return {file.parent.name: file for file in sorted(folder.glob("*/endpoint.yaml"))}


@cache
def load_endpoint(file: Path) -> Endpoint:
    """Read one endpoint.yaml.

    Raises:
        EndpointInvalid: with every mistake: line, path of keys, what was found, what is allowed.

    """
    tree = _read(file)
    problems = list(tree.problems)
    place = file.resolve().parent
    # In what is deployed the file stands beside the package, in a folder of the platform's naming.
    folder = None if place == ROOT else place.name
    try:
        endpoint = msgspec.convert(tree.data, Endpoint)
    except (msgspec.ValidationError, RecursionError):
        problems += form_problems(tree.data)
        rest = repaired(tree.data, problems, folder or "endpoint")
        if rest is not None:
            problems += trusted(rest, problems, _meaning_problems(rest, folder))
    else:
        problems += trusted(endpoint, problems, _meaning_problems(endpoint, folder))
        if not problems:
            return endpoint
    lines = {(tree.line(path), ".".join(path) or "the file", what): None for path, what in problems}
    raise EndpointInvalid(
        _shown(file), [f"line {line}: {place}: {what}" for line, place, what in sorted(lines)]
    )


def schema_text() -> str:
    """Return functions/endpoint.schema.json: the JSON Schema, sorted and indented."""
    return json.dumps(endpoint_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _meaning_problems(endpoint: Endpoint, folder: str | None) -> list[Problem]:
    """Return what is wrong with an endpoint whose form is right."""
    problems = list(rule_problems(endpoint, folder))
    # Which table takes which place can be told once it is clear which table belongs where.
    linked = {"of", "each", "request", "parent"}
    if not any(path[2:3] and path[2] in linked for path, _ in problems if path[:1] == ("tables",)):
        problems += shape_problems(endpoint)
    return problems


def _read(file: Path) -> YamlTree:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise EndpointInvalid(_shown(file), [f"cannot be read: {error.strerror}"]) from error
    try:
        return YamlTree(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise EndpointInvalid(
            _shown(file),
            [f"line {line}: the byte {content[error.start]:#04x} is not UTF-8; save the file as UTF-8"],
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise EndpointInvalid(_shown(file), [_yaml_problem(error, content)]) from error


def _yaml_problem(error: Exception, content: bytes) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    lines = content.splitlines()
    if mark and mark.line < len(lines) and b"\t" in lines[mark.line][: mark.column + 1]:
        problem = "found a tab; indent with spaces"
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else f"line 1: {problem}"


def _shown(file: Path) -> str:
    return str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file)
