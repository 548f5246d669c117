"""Read an endpoint.yaml: the endpoint, or every mistake in it with its line.

The quick way is one strict decode. Only when it fails are the JSON Schema validator and the YAML
tree with its line numbers brought in, to say everything that is wrong at once.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from shared.endpoint import Endpoint
from shared.endpoint_rules import rule_problems
from shared.errors import EndpointInvalid
from shared.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from jsonschema import ValidationError

__all__ = ["endpoint_schema", "find_endpoints", "load_endpoint"]

FUNCTIONS = ROOT / "functions"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def find_endpoints(folder: Path = FUNCTIONS) -> dict[str, Path]:
    """Return the endpoint.yaml of every endpoint's folder, by name, sorted."""
    return {file.parent.name: file for file in sorted(folder.glob("*/endpoint.yaml"))}


@cache
def load_endpoint(file: Path) -> Endpoint:
    """Read one endpoint.yaml.

    Raises:
        EndpointInvalid: with every mistake: line, path of keys, what was found, what is allowed.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EndpointInvalid(_shown(file), [f"cannot be read: {error}"]) from error
    try:
        data = yaml.load(text, _UniqueKeys)  # noqa: S506 - a safe loader's subclass
    except yaml.YAMLError as error:
        raise EndpointInvalid(_shown(file), [_yaml_problem(error)]) from error
    try:
        endpoint = msgspec.convert(data, Endpoint)
    except msgspec.ValidationError:
        problems = list(_form_problems(data))
    else:
        problems = [(path, what) for path, what in rule_problems(endpoint, file.parent.name)]
        if not problems:
            return endpoint
    lines = _Lines(text)
    raise EndpointInvalid(
        _shown(file),
        [f"line {lines.of(path)}: {'.'.join(path) or 'the file'}: {what}" for path, what in problems],
    )


def endpoint_schema() -> dict[str, Any]:
    """Return the JSON Schema of endpoint.yaml, made from the structs that read it."""
    (reference,), definitions = msgspec.json.schema_components([Endpoint])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "endpoint.yaml",
        **reference,
        # msgspec points at #/$defs/…, which is where they stand.
        "$defs": definitions,
    }


def _form_problems(data: object) -> Iterator[tuple[tuple[str, ...], str]]:
    # Deployed functions carry no validator: they then name the first mistake alone.
    try:
        from jsonschema import Draft202012Validator  # noqa: PLC0415 - 60 ms, only on a mistake
    except ImportError:
        yield from _first_problem(data)
        return
    found = False
    errors = Draft202012Validator(endpoint_schema()).iter_errors(data)
    for error in sorted(errors, key=lambda e: [str(p) for p in e.absolute_path]):
        found = True
        yield from _explain(error)
    if not found:
        # The validator is more lenient in a corner: say what the decoder said.
        yield from _first_problem(data)


def _first_problem(data: object) -> Iterator[tuple[tuple[str, ...], str]]:
    try:
        msgspec.convert(data, Endpoint)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at ")
        yield tuple(part for part in place.strip("`$.").split(".") if part), text


def _explain(error: ValidationError) -> Iterator[tuple[tuple[str, ...], str]]:
    path = tuple(str(part) for part in error.absolute_path)
    schema, found = error.schema, error.instance
    assert isinstance(schema, dict)
    if error.validator == "additionalProperties":
        allowed = ", ".join(schema.get("properties", {}))
        if schema.get("patternProperties") or not allowed:
            yield path, error.message
        for key in found:
            if key not in schema.get("properties", {}):
                yield (*path, str(key)), f"unknown key; allowed here: {allowed}"
    elif error.validator == "required":
        missing = [key for key in schema["required"] if key not in found]
        # One error per missing key reaches us; each names its own.
        for key in missing:
            if f"'{key}'" in error.message:
                yield path, f"the key {key!r} is missing"
    elif error.validator == "enum":
        yield path, f"found {found!r}; allowed: {', '.join(map(str, error.validator_value))}"
    elif error.validator == "anyOf":
        kinds = [branch.get("type") or "object" for branch in error.validator_value]
        inner = [sub for sub in error.context or () if len(sub.absolute_path) > len(error.absolute_path)]
        if inner:
            for sub in inner:
                yield from _explain(sub)
        else:
            details = [s for s in error.context or () if s.validator != "type"]
            if details:
                for sub in details:
                    yield from _explain(sub)
            else:
                yield path, f"found {found!r}; allowed: {' or '.join(kinds)}"
    elif error.validator == "type":
        yield path, f"found {found!r}; allowed: {error.validator_value}"
    elif error.validator == "pattern":
        yield path, f"found {found!r}; it must match {error.validator_value}"
    else:
        yield path, f"found {found!r}; {error.message}"


def _yaml_problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else problem


def _shown(file: Path) -> str:
    return str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file)


class _UniqueKeys(_Loader):  # type: ignore[misc, valid-type]
    """A safe loader that refuses a key given twice, of which plain YAML keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands here twice", key.start_mark
                )
            seen.add(key.value)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return mapping


class _Lines:
    """Line numbers of key paths in a YAML text."""

    def __init__(self, text: str) -> None:
        self._root = yaml.compose(text, _Loader)

    def of(self, path: tuple[str, ...]) -> int:
        """Return the line of the key at ``path``, or of its nearest ancestor."""
        node, line = self._root, 1
        for part in path:
            if isinstance(node, yaml.MappingNode):
                for key, value in node.value:
                    if key.value == part:
                        line, node = key.start_mark.line + 1, value
                        break
                else:
                    return line
            elif isinstance(node, yaml.SequenceNode) and re.fullmatch(r"\d+", part):
                node = node.value[int(part)]
                line = node.start_mark.line + 1
        return line
