"""The request of an operation: its path, its parameters, its pages, and what a person decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.openapi.columns import one_line
from shared.openapi.naming import snake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.openapi.document import Operation, Parameter
    from shared.openapi.node import Node

__all__ = ["RequestDraft", "draft_request"]

#: Parameters that the run sets, or that only the API's own log would see.
_OWN = {"key", "timestamp", "comment"}
#: Parameters that say which part of a list comes, which the run walks through as a whole.
_PAGING = {"limit", "offset", "sort", "from", "to", "striptags"}
#: Asks for several answers in one; without it there is none to speak of, though it is not required.
_SELECTIONS = "selections"
_GLOBAL = {"forum", "market", "racing", "torn"}
_SLOW = ("P1D", 20)
_QUICK = ("PT1H", 5)


@dataclass(slots=True, kw_only=True)
class RequestDraft:
    """A request as it will stand in endpoint.yaml, and what of it is left to a person."""

    name: str
    path: str
    scope: str
    params: dict[str, Any] = field(default_factory=dict)
    overridable: list[str] = field(default_factory=list)
    paged: bool = False
    window: bool = False
    every: str = "P1D"
    lookback: str = "P1D"
    calls_per_minute: int = 5
    #: Parameters without which the API refuses, and which have no value yet: name → remark.
    todo: dict[str, str] = field(default_factory=dict)
    #: Values that were chosen among several: parameter → remark.
    chosen: dict[str, str] = field(default_factory=dict)


def draft_request(operation: Operation, given: Mapping[str, Any]) -> RequestDraft:
    """Return the request that asks for an operation's answer.

    Args:
        operation: The operation.
        given: Values that a person has decided on, by parameter.
    """
    segments = [part for part in operation.path.split("/") if part]
    static = [part for part in segments if not part.startswith("{")]
    scope = "global" if static and static[0] in _GLOBAL else "account"
    draft = RequestDraft(
        name=snake(static[-1] if static else "answer")[:63], path=operation.path, scope=scope
    )
    names = {p.name for p in operation.params if p.place == "query"}
    draft.paged = _has_links(operation.body)
    draft.window = draft.paged and {"from", "to"} <= names
    slow = draft.paged or scope == "global"
    draft.every, draft.calls_per_minute = _SLOW if slow else _QUICK
    for parameter in operation.params:
        if parameter.place in {"query", "path"} and parameter.name not in _OWN:
            _parameter(draft, parameter, given)
    return draft


def _parameter(draft: RequestDraft, parameter: Parameter, given: Mapping[str, Any]) -> None:
    name, values = parameter.name, parameter.node.enum
    if name in given:
        draft.params[name] = given[name]
    elif parameter.place == "path":
        draft.todo[name] = one_line(parameter.description, 100)
    elif name == "limit" and isinstance(parameter.maximum, int):
        draft.params[name] = parameter.maximum
    elif name == "sort" and "DESC" in values:
        draft.params[name] = "DESC"
    elif name == "striptags":
        draft.params[name] = True
    elif parameter.required and values:
        draft.params[name] = "all" if "all" in values else values[0]
        several = ", ".join(map(str, values[:12])) + (" and more" if len(values) > 12 else "")  # noqa: PLR2004
        draft.chosen[name] = f"one of {several}"
    elif parameter.required or name == _SELECTIONS:
        draft.todo[name] = one_line(parameter.description, 100)
    if name not in _PAGING:
        draft.overridable.append(name)


def _has_links(body: Node) -> bool:
    metadata = body.properties.get("_metadata")
    links = metadata.properties.get("links") if metadata is not None and not metadata.optional else None
    return links is not None and "next" in links.properties and not links.optional
