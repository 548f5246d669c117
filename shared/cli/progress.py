"""What a person sees while endpoints are collected: bars on a terminal, a line each when piped."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.cli.work import Ended

__all__ = ["Progress", "progress"]


class Progress:
    """Say nothing; what the others are made from."""

    def begin(self, label: str) -> None:
        """Begin an endpoint."""

    def page(self, label: str, number: int, size: int) -> None:
        """Note that a page of so many bytes was read."""

    def end(self, ended: Ended) -> None:
        """End an endpoint."""


class _Plain(Progress):
    def end(self, ended: Ended) -> None:
        click.echo(f"{ended.work.label}: {ended.outcome}, {_pages(ended)} in {ended.seconds:.1f} s", err=True)


class _Bars(Progress):
    def __init__(self, bars: Any) -> None:
        self._bars = bars
        self._tasks: dict[str, Any] = {}

    def begin(self, label: str) -> None:
        self._tasks[label] = self._bars.add_task(label, total=None, note="asking")

    def page(self, label: str, number: int, size: int) -> None:
        note = f"page {number}, {size / 1024:.0f} kB"
        self._bars.update(self._tasks[label], completed=number, note=note)

    def end(self, ended: Ended) -> None:
        note = f"{ended.outcome}, {_pages(ended)}, {sum(ended.rows.values())} rows"
        self._bars.update(self._tasks[ended.work.label], total=1, completed=1, note=note)


def _pages(ended: Ended) -> str:
    return f"{ended.pages} page{'s' if ended.pages != 1 else ''}"


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """Yield what to tell of the progress, fit for who reads it."""
    if quiet:
        yield Progress()
    elif not sys.stderr.isatty():
        yield _Plain()
    else:
        from rich import progress as bars  # noqa: PLC0415 - 50 ms, only where a person looks
        from rich.console import Console  # noqa: PLC0415

        columns = (
            bars.TextColumn("{task.description:<18}"),
            bars.BarColumn(24),
            bars.TimeElapsedColumn(),
            bars.TextColumn("{task.fields[note]}"),
        )
        with bars.Progress(*columns, console=Console(stderr=True)) as shown:
            yield _Bars(shown)
