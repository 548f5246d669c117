"""One difference between an endpoint.yaml and an OpenAPI document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.openapi.node import Node

__all__ = ["Finding", "said"]

_WORDS = {"object": "object", "list": "list", "map": "map", "json": "anything", "null": "null"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference: what, where, what is declared, what the document has, and the next step."""

    request: str
    #: None: the request as a whole.
    table: str | None = None
    column: str | None = None
    #: Where in the answer, as the ledger's drift has it; [] marks a list or map. Or a parameter's name.
    path: str = ""
    what: str
    was: str = ""
    is_: str = ""
    #: Runs would fail, reject records, lose rows or leave a column NULL; else it is good to know.
    breaks: bool
    next_step: str


def said(node: Node) -> str:
    """Return what a node may be, in words."""
    words = " or ".join(node.types) if node.kind == "scalar" else _WORDS[node.kind]
    if node.kind == "json" and node.variants:
        words = " or ".join(dict.fromkeys(said(variant) for variant in node.variants))
    return f"{words} or null" if node.nullable and node.kind != "null" else words
