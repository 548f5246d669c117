"""Markdown as GitHub reads it: tables, their cells, and links to headings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["cell", "heading_link", "markdown"]


def markdown(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a cell that is not escaped yet may hold a bar."""
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(re.sub(r"(?<!\\)\|", r"\\|", one) for one in row) + " |" for row in rows]
    return "\n".join(lines)


def cell(text: str) -> str:
    """Return a text so that it stands in a cell, or a line, as it is: no markup, no line break."""
    return re.sub(r"([\\*<|`\[])", r"\\\1", " ".join(text.split()))


def heading_link(text: str, heading: str) -> str:
    """Return a link to a heading of the same page, under the name that GitHub gives it."""
    anchor = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
    return f"[{text}](#{anchor})"
