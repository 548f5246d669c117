"""What an OpenAPI document says against an endpoint.yaml: paths, parameters, paging, records."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.errors import FixConfiguration
from shared.openapi.finding import Finding, said
from shared.openapi.table_drift import table_findings
from shared.openapi.walk import find, untaken
from shared.torn import ENVELOPE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.endpoint import Endpoint, Request
    from shared.openapi.document import Document, Operation, Parameter
    from shared.openapi.node import Node

__all__ = ["endpoint_findings"]

_NEXT_PAGE = ("_metadata", "links", "next")
# What the run sets itself, whatever the document calls it.
_OWN = frozenset({"key", "timestamp", "comment"})


def endpoint_findings(endpoint: Endpoint, document: Document, since: Document | None = None) -> list[Finding]:
    """Return every difference, request by request; what breaks comes first.

    Args:
        endpoint: What is declared.
        document: What the API promises.
        since: An earlier document: what differs from that one too is left out.
    """
    found = [f for name in endpoint.requests for f in _request(endpoint, name, document)]
    if since is not None:
        known = {_same(f) for name in endpoint.requests for f in _request(endpoint, name, since)}
        found = [finding for finding in found if _same(finding) not in known]
    return sorted(found, key=lambda finding: not finding.breaks)


def _same(finding: Finding) -> Finding:
    """Return a finding without its advice, which depends on what else the document has."""
    return replace(finding, next_step="")


def _request(endpoint: Endpoint, name: str, document: Document) -> Iterator[Finding]:
    request = endpoint.requests[name]
    path = _known(request.path, document)
    if path is None:
        near = ", ".join(document.near(request.path))
        yield Finding(
            request=name, what="the path is gone", was=request.path, breaks=True,
            next_step=f"look for where the API has it now{f'; there are {near}' if near else ''}",
        )  # fmt: skip
        return
    try:
        operation = document.operation(path)
    except FixConfiguration as error:
        yield Finding(
            request=name, what="the answer cannot be told", was="JSON", is_=error.message, breaks=True,
            next_step=error.next_step,
        )  # fmt: skip
        return
    yield from _params(endpoint, name, request, operation)
    yield from _paging(name, request, operation.body)
    yield from _records(endpoint, name, request, operation.body)


def _known(path: str, document: Document) -> str | None:
    """Return the document's path for this one, which may have a number where that has a name."""
    if path in document.paths:
        return path
    parts = path.split("/")
    return next((p for p in document.paths if _is_like(parts, p.split("/"))), None)


def _is_like(parts: list[str], theirs: list[str]) -> bool:
    return len(parts) == len(theirs) and all(
        part == their or (their.startswith("{") and any(c.isdecimal() or c == "{" for c in part))
        for part, their in zip(parts, theirs, strict=True)
    )


def _params(endpoint: Endpoint, name: str, request: Request, operation: Operation) -> Iterator[Finding]:
    known = {p.name: p for p in operation.params if p.place in {"query", "path"}}
    window = (request.window.from_, request.window.to) if request.window is not None else ()
    for parameter in dict.fromkeys((*request.params, *window)):
        if parameter not in {*known, *request.placeholders}:
            yield Finding(
                request=name, path=parameter, what="the parameter is gone",
                was="set by a backfill" if parameter in window else str(request.params[parameter]),
                breaks=True, next_step="take it out, and see what the API answers without it",
            )  # fmt: skip
    for parameter, value in request.params.items():
        if parameter in known:
            yield from _value(name, known[parameter], value)
    given = {*request.params, *window, *_OWN}
    for parameter, one in known.items():
        # What stands in the path is there, by name or as it is.
        if one.required and one.place == "query" and parameter not in given:
            yield Finding(
                request=name, path=parameter, what="the parameter is required", is_=said(one.node),
                breaks=True, next_step="set it under `params`",
            )  # fmt: skip
    # A parameter that any one request of the endpoint takes may be overridden.
    if len(endpoint.requests) == 1:
        for parameter in endpoint.overridable:
            if parameter not in {*known, *request.params, *window}:
                yield Finding(
                    request=name, path=parameter, what="the parameter is gone", was="overridable",
                    breaks=False, next_step="take it out of `overridable`",
                )  # fmt: skip


def _value(name: str, parameter: Parameter, value: Any) -> Iterator[Finding]:
    node, shown = parameter.node, str(value).lower() if isinstance(value, bool) else str(value)
    values = [shown]
    if node.kind == "list" and node.element is not None:
        node, values = node.element, shown.split(",")
    allowed = [str(each) for each in node.enum]
    wrong = [each for each in values if allowed and each not in allowed]
    if wrong:
        yield Finding(
            request=name, path=parameter.name, what="the parameter's value is gone", was=", ".join(wrong),
            is_=", ".join(allowed), breaks=True, next_step="set one of these",
        )  # fmt: skip
    most = parameter.maximum
    if isinstance(most, int | float) and isinstance(value, int | float) and value > most:
        yield Finding(
            request=name, path=parameter.name, what="the parameter's value is above its maximum", was=shown,
            is_=f"at most {most}", breaks=True, next_step=f"set at most {most}",
        )  # fmt: skip


def _paging(name: str, request: Request, body: Node) -> Iterator[Finding]:
    has_pages = find(body, _NEXT_PAGE).node is not None
    always = not find(body, _NEXT_PAGE[:-1]).gap
    if request.pages == "links" and not has_pages:
        yield Finding(
            request=name, path=".".join(_NEXT_PAGE), what="paging is gone", was="pages: links",
            is_="one answer", breaks=True, next_step="take `pages` out: without it the run fails",
        )  # fmt: skip
    elif request.pages == "none" and has_pages:
        # Who sets a limit has decided how much of it to read.
        limited = "limit" in request.params
        yield Finding(
            request=name, path=".".join(_NEXT_PAGE), what="there are pages", was="one answer", is_="pages",
            breaks=always and not limited, next_step="set `pages: links`, else only the first is kept",
        )  # fmt: skip


def _records(endpoint: Endpoint, name: str, request: Request, body: Node) -> Iterator[Finding]:
    place = () if request.records == "$" else tuple(request.records.split("."))
    found = find(body, place)
    if found.node is None:
        if not found.unknown:
            yield Finding(
                request=name, path=request.records, what="the records are gone", was="records",
                breaks=True, is_=", ".join(body.properties), next_step="set `records` to where they are now",
            )  # fmt: skip
        return
    if place:
        envelope = {(key,) for key in ENVELOPE}
        for path, node in untaken(body, {place, *envelope}):
            yield Finding(
                request=name, path=".".join(path), what="not taken", is_=said(node), breaks=False,
                next_step="add a request whose `records` it is, if it is wanted",
            )  # fmt: skip
    beside = () if place else ENVELOPE
    yield from table_findings(endpoint, name, found.node, ".".join(place), beside=beside)
