"""Tables and JSON on standard output: boxes on a terminal, tabs when piped."""

from __future__ import annotations

import sys
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["as_json", "table"]


def as_json(value: object) -> None:
    """Print a value as JSON; moments as RFC 3339."""
    encoded = msgspec.json.encode(_plain(value), enc_hook=str)
    click.echo(msgspec.json.format(encoded, indent=2).decode())


def table(names: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> None:
    """Print rows below their names."""
    if not sys.stdout.isatty():
        click.echo("\t".join(names))
        for row in rows:
            click.echo("\t".join(_text(value).replace("\t", " ").replace("\n", " ") for value in row))
        return
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - 50 ms, only where a person looks
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    kept = [[_plain(value) for value in row] for row in rows]
    numeric = [all(isinstance(row[n], int | float | None) for row in kept) for n in range(len(names))]
    grid = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left")
    for name, right in zip(names, numeric, strict=True):
        grid.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in kept:
        grid.add_row(*(_text(value, grouped=True) for value in row))
    # Names come from the API: what looks like rich's markup is none.
    Console(markup=False, emoji=False).print(grid)


def _text(value: object, *, grouped: bool = False) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, float):
        return f"{value:,.2f}" if grouped else repr(value)
    return f"{value:,}" if grouped and abs(value) >= 10_000 else str(value)  # noqa: PLR2004


def _plain(value: Any) -> Any:
    """Return a value with its decimals as numbers: a sum of integers is one for a person."""
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
