"""An OpenAPI document: the file, its paths, and what a GET of one takes and answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import yaml

from shared.errors import FixConfiguration
from shared.openapi.schema import Schemas

if TYPE_CHECKING:
    from pathlib import Path

    from shared.openapi.node import Node

__all__ = ["Document", "Operation", "Parameter"]

_OFFICIAL = "download the official one, which is linked from the API's page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of an operation; ``place`` is query, path, header or cookie."""

    name: str
    place: str
    required: bool
    node: Node
    description: str = ""
    default: Any = None
    maximum: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The GET of one path: what it takes, and what it answers with status 200."""

    path: str
    summary: str
    description: str
    params: tuple[Parameter, ...]
    body: Node


class Document:
    """One OpenAPI document.

    Args:
        data: Its content.
        file: Its name, for errors.

    Raises:
        FixConfiguration: it is no OpenAPI 3 document.
    """

    def __init__(self, data: Any, file: str) -> None:
        self._file = file
        self._data = _checked(data, file)
        self._schemas = Schemas(self._data, file)
        info = self._data.get("info")
        #: The version of the API that it describes.
        self.version = str(info.get("version", "")) if isinstance(info, dict) else ""
        #: Every path that has a GET, in the document's order.
        self.paths = tuple(
            str(path)
            for path, item in self._data["paths"].items()
            if isinstance(self._schemas.resolve(item, f"paths.{path}"), dict)
            and "get" in self._schemas.resolve(item, f"paths.{path}")
        )

    @classmethod
    def read(cls, file: Path) -> Document:
        """Read a document, JSON or YAML.

        Raises:
            FixConfiguration: it cannot be read, or is no OpenAPI 3 document.
        """
        try:
            text = file.read_bytes().decode("utf-8-sig")
        except OSError as error:
            raise _unread(str(file), f"it cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise _unread(str(file), f"it is not UTF-8: {error.reason} at byte {error.start}") from error
        return cls(_parsed(text, str(file)), str(file))

    def near(self, path: str) -> list[str]:
        """Return the paths that look like this one, the likest first."""
        return get_close_matches(path, self.paths, n=3, cutoff=0.6)

    def operation(self, path: str) -> Operation:
        """Return the GET of a path.

        Raises:
            FixConfiguration: there is none, or its answer is not described as JSON.
        """
        if path not in self.paths:
            near = self.near(path)
            exists = path in self._data["paths"]
            raise FixConfiguration(
                f"{self._file}: paths: {path!r} {'has no GET' if exists else 'is not there'}",
                next_step=f"did you mean {' or '.join(near)}?"
                if near
                else f"there are {len(self.paths)} paths",
            )
        where = f"paths.{path}"
        item = self._schemas.resolve(self._data["paths"][path], where)
        get = item["get"]
        if not isinstance(get, dict):
            raise self._wrong(f"{where}.get", "an operation stands here")
        return Operation(
            path=path,
            summary=str(get.get("summary") or item.get("summary") or ""),
            description=str(get.get("description") or item.get("description") or ""),
            params=self._params(item, get, where),
            body=self._body(get, f"{where}.get"),
        )

    def _params(self, item: dict[str, Any], get: dict[str, Any], where: str) -> tuple[Parameter, ...]:
        found: dict[tuple[str, str], Parameter] = {}
        # What the operation says of a parameter counts more than what its path says.
        for owner, at in ((item, where), (get, f"{where}.get")):
            listed = owner.get("parameters") or []
            if not isinstance(listed, list):
                raise self._wrong(f"{at}.parameters", "a list stands here")
            for number, one in enumerate(listed):
                parameter = self._parameter(one, f"{at}.parameters[{number}]")
                found[parameter.place, parameter.name] = parameter
        return tuple(found.values())

    def _parameter(self, found: Any, where: str) -> Parameter:
        one = self._schemas.resolve(found, where)
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            raise self._wrong(where, "a parameter with a name stands here")
        schema = one.get("schema", {})
        plain = self._schemas.resolve(schema, where)
        plain = plain if isinstance(plain, dict) else {}
        return Parameter(
            name=one["name"],
            place=str(one.get("in", "query")),
            required=one.get("required") is True,
            node=self._schemas.read(schema, f"{where}.schema"),
            description=str(one.get("description") or plain.get("description") or ""),
            default=plain.get("default"),
            maximum=plain.get("maximum"),
        )

    def _body(self, get: dict[str, Any], where: str) -> Node:
        responses = get.get("responses")
        by_status = {str(status): r for status, r in responses.items()} if isinstance(responses, dict) else {}
        if "200" not in by_status:
            raise self._wrong(f"{where}.responses", "the answer of status 200 is missing")
        where = f"{where}.responses.200"
        response = self._schemas.resolve(by_status["200"], where)
        content = response.get("content") if isinstance(response, dict) else None
        content = content if isinstance(content, dict) else {}
        kinds = [kind for kind in content if kind.partition(";")[0].strip() == "application/json"]
        if not kinds:
            raise FixConfiguration(
                f"{self._file}: {where}.content: the answer is {' or '.join(content) or 'not described'}, "
                "not application/json",
                next_step="choose a path that answers with JSON; others cannot be collected",
            )
        media = content[kinds[0]]
        if not isinstance(media, dict) or "schema" not in media:
            raise self._wrong(f"{where}.content.{kinds[0]}", "the schema is missing")
        return self._schemas.read(media["schema"], f"{where}.content.{kinds[0]}.schema")

    def _wrong(self, where: str, what: str) -> FixConfiguration:
        return FixConfiguration(
            f"{self._file}: {where}: {what}", next_step=f"correct the document, or {_OFFICIAL}"
        )


def _parsed(text: str, file: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise _unread(file, "it is nested too deeply") from None
    except ValueError as error:
        wrong = error
    if text.lstrip()[:1] in {"{", "["}:
        raise _unread(file, f"it is not JSON: {wrong}")
    try:
        return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - the safe one, in C
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _unread(file, f"it is neither JSON nor YAML: {' '.join(str(error).split())[:200]}") from error


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _checked(data: Any, file: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise _unread(file, "it is no OpenAPI document: its top is no object")
    if "openapi" not in data:
        if "swagger" in data:
            raise _unread(file, f"swagger: found {data['swagger']}; OpenAPI 3.0 and 3.1 are read")
        raise _unread(file, "it is no OpenAPI document: the key 'openapi' is missing")
    if not str(data["openapi"]).startswith(("3.0", "3.1")):
        raise _unread(file, f"openapi: found {data['openapi']}; 3.0 and 3.1 are read")
    if not isinstance(data.get("paths"), dict):
        raise _unread(file, "it is no OpenAPI document with paths: the key 'paths' is missing, or holds none")
    return data


def _unread(file: str, what: str) -> FixConfiguration:
    return FixConfiguration(f"{file}: {what}", next_step=_OFFICIAL)
