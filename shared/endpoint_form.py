"""The form of an endpoint.yaml: every mistake against its JSON Schema, in words for a person."""

from __future__ import annotations

import copy
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from shared.endpoint import FORMS, Endpoint
from shared.endpoint_rules import root_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jsonschema import ValidationError

    from shared.yaml_tree import Problem

__all__ = ["endpoint_schema", "form_problems", "repaired", "trusted"]

_KINDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}
_LIMITS = {
    "minimum": "at least {0}",
    "maximum": "at most {0}",
    "minLength": "it must not be empty",
    "minItems": "it must not be empty",
    "minProperties": "it must not be empty",
    "maxItems": "at most {0} are allowed",
    "maxLength": "at most {0} characters",
}


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


def form_problems(data: object) -> Iterator[Problem]:
    """Yield every mistake in the form of a file that ``Endpoint`` refuses."""
    # Deployed functions carry no validator: they then name the first mistake alone.
    try:
        validator = _validator()
    except ImportError:
        yield from _first_problem(data)
        return
    errors = list(validator.iter_errors(data))
    for error in errors:
        yield from _explain(error)
    if (
        not errors
    ):  # pragma: no cover - decoder and schema say the same; were they not to, the decoder's word counts
        yield from _first_problem(data)


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - 60 ms, only on a mistake
    from jsonschema.validators import extend  # noqa: PLC0415

    # A JSON Schema takes 20.0 for an integer; the decoder does not.
    types = Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    return extend(Draft202012Validator, type_checker=types)(endpoint_schema())  # type: ignore[no-untyped-call]


def _first_problem(data: object) -> Iterator[Problem]:
    try:
        msgspec.convert(data, Endpoint)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at ")
        yield tuple(part for part in place.strip("`$.").split(".") if part), text


def _explain(error: ValidationError) -> Iterator[Problem]:
    path = tuple(str(part) for part in error.absolute_path)
    found: Any = error.instance
    kind = str(error.validator)
    allowed: Any = error.validator_value
    if "propertyNames" in error.relative_schema_path:
        yield (*path, str(found)), f"is no name here; allowed: {FORMS.get(str(allowed), allowed)}"
    elif kind == "additionalProperties":
        schema: Any = error.schema
        known = list(schema.get("properties", {}))
        for key in (key for key in found if key not in known):
            yield (*path, key), f"unknown key{_hint(key, known)}; allowed here: {', '.join(known)}"
    elif kind == "anyOf":
        yield from _explain_branches(error, path)
    else:
        yield path, _said(kind, found, allowed, error.message)


def _explain_branches(error: ValidationError, path: tuple[str, ...]) -> Iterator[Problem]:
    # The branch that is of the right kind says what is wrong inside it.
    inner = [sub for sub in error.context or () if sub.validator != "type" or sub.relative_path]
    for sub in inner:
        yield from _explain(sub)
    if not inner:
        branches: Any = error.validator_value
        kinds = dict.fromkeys(branch.get("type", "object") for branch in branches)
        yield path, f"found {_shown(error.instance)}; allowed: {_kinds(kinds)}"


def _said(kind: str, found: object, allowed: Any, message: str) -> str:
    shown = f"found {_shown(found)}"
    if kind == "required":
        # One error per missing key reaches us; each names its own.
        return next(f"the key {key!r} is missing" for key in allowed if message.startswith(f"{key!r} "))
    if kind in {"enum", "const"}:
        values = list(map(str, allowed if kind == "enum" else [allowed]))
        return f"{shown}{_hint(str(found), values)}; allowed: {', '.join(values)}"
    if kind == "type":
        return f"{shown}; allowed: {_kinds([allowed] if isinstance(allowed, str) else allowed)}"
    if kind == "pattern":
        return f"{shown}; allowed: {FORMS.get(str(allowed), allowed)}"
    return f"{shown}; {_LIMITS.get(kind, message).format(allowed)}"


def _hint(found: str, known: Iterable[str]) -> str:
    """Return a question for the nearest of the known words, if one is near."""
    by_lower = {word.lower(): word for word in known}
    close = get_close_matches(found.lower(), by_lower, n=1)
    return f"; did you mean {by_lower[close[0]]!r}?" if close else ""


def _kinds(kinds: Any) -> str:
    return " or ".join(_KINDS.get(kind, kind) for kind in kinds)


def _shown(value: object) -> str:
    """Return a value as it stands in the file."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return repr(value)


_STAND_IN = {
    "description": "-",
    "source": "torn",
    "every": "P1D",
    "key": "k",
    "calls_per_minute": 1,
}


def repaired(data: object, problems: Iterable[Problem], name: str) -> Endpoint | None:
    """Return what is left of a file without the parts whose form is wrong; None if too little is."""
    if not isinstance(data, dict):
        return None
    left = copy.deepcopy(data)
    for path, _ in problems:
        if path[:1] not in {("tables",), ("requests",)}:
            for key in path[:1]:
                left.pop(key, None)
        elif len(path) == 1 or not isinstance(left.get(path[0]), dict):
            return None
        else:
            _cut(left[path[0]], path)
    left = {**_STAND_IN, "name": name, **left}
    try:
        return msgspec.convert(left, Endpoint)
    except msgspec.ValidationError:
        return None


def _cut(units: dict[str, Any], path: tuple[str, ...]) -> None:
    """Take what stands at a path out of a table or request, a column as a whole."""
    unit = units.get(path[1])
    blank: dict[str, Any] = {"columns": {}} if path[0] == "tables" else {"path": "/"}
    if not isinstance(unit, dict):
        units[path[1]] = blank
        return
    columns = unit.get("columns")
    if path[2:3] == ("columns",) and len(path) > 3 and isinstance(columns, dict):  # noqa: PLR2004 - tables.T.columns.C
        columns.pop(path[3], None)
    else:
        for key in path[2:3]:
            unit.pop(key, None)
    for key, value in blank.items():
        unit.setdefault(key, value)


def trusted(endpoint: Endpoint, form: Iterable[Problem], rules: Iterable[Problem]) -> Iterator[Problem]:
    """Yield the rules' problems that do not merely follow from a mistake in the form."""
    wrong = {path[:2] for path, _ in form}
    tables = {path[1] for path in wrong if path[:1] == ("tables",) and len(path) > 1}

    def is_whole(table: str, seen: frozenset[str] = frozenset()) -> bool:
        if table in tables or table in seen:
            return table not in tables
        above = root_table(endpoint, table)
        return above not in endpoint.tables or is_whole(above, seen | {table})

    for path, what in rules:
        if path[:1] in wrong or path[:2] in wrong:
            continue
        if path[:1] == ("tables",) and not is_whole(path[1]):
            continue
        if path[:1] == ("requests",) and tables:
            continue
        yield path, what
