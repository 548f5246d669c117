"""``tcdatalogger schema``: what is declared, against the tables as they were last released."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from shared.cli.local import shown
from shared.cli.show import as_json, table
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.errors import FixConfiguration
from shared.released import RELEASED, declared_tables, fingerprint, read_released, released_text, schema_of
from shared.schema_changes import Change, schema_changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from shared.endpoint import Endpoint
    from shared.released import Schema

__all__ = ["schema"]

_NOT_YET = "not released yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """One endpoint beside its release."""

    name: str
    file: Path
    endpoint: Endpoint | None = None
    released: Schema | None = None
    changes: list[Change] = field(default_factory=list)
    #: What keeps them from being compared at all.
    error: FixConfiguration | None = None

    @property
    def state(self) -> str:
        """Say in a word or two how the endpoint stands to its release."""
        if self.error is not None:
            return "cannot be compared"
        if any(change.refused for change in self.changes):
            return "refused"
        if self.changes:
            return "to be released"
        return "as released" if self.released is not None else _NOT_YET

    @property
    def is_well(self) -> bool:
        """Say whether there is nothing to be done, or only a first release."""
        return self.state in {"as released", _NOT_YET}

    def row(self) -> tuple[Any, ...]:
        """Return the endpoint's line: the fingerprint is the one in ``schema_versions``."""
        if self.endpoint is None:
            return (self.name, None, None, None, self.state, None)
        version = self.released.version if self.released is not None else None
        mark = fingerprint(declared_tables(self.endpoint))
        return (self.name, self.endpoint.version, version, len(self.endpoint.tables), self.state, mark)


@click.group()
def schema() -> None:
    """Hold the tables to their last release."""


@schema.command()
@click.argument("endpoints", nargs=-1)
@click.option("--json", "json_output", is_flag=True, help="Print it as JSON.")
def check(endpoints: tuple[str, ...], *, json_output: bool) -> int:
    """Say what ENDPOINTS would change in released tables; exit 1 if anything."""
    compared = [_compare(name, file) for name, file in _chosen(endpoints).items()]
    rows = [one.row() for one in compared]
    names = ("endpoint", "version", "released", "tables", "state", "fingerprint")
    if json_output:
        as_json(
            [
                {**dict(zip(names, row, strict=True)), "problems": _problems(one)}
                for one, row in zip(compared, rows, strict=True)
            ]
        )
    else:
        _explain(compared)
        table(names, [(*row[:-1], (row[-1] or "")[:12]) for row in rows])
        for one in compared:
            if one.state == _NOT_YET:
                click.echo(f"{one.name} is {_NOT_YET}: tcdatalogger schema release {one.name}", err=True)
    return 0 if all(one.is_well for one in compared) else 1


@schema.command()
@click.argument("endpoints", nargs=-1)
def release(endpoints: tuple[str, ...]) -> int:
    """Write down the tables of ENDPOINTS as released, unless data would be lost."""
    compared = [_compare(name, file) for name, file in _chosen(endpoints).items()]
    _explain([one for one in compared if one.state != "to be released"])
    for one in compared:
        if one.endpoint is not None and one.state in {"to be released", _NOT_YET}:
            target = one.file.with_name(RELEASED)
            target.write_text(released_text(schema_of(one.endpoint)), encoding="utf-8")
            click.echo(f"wrote {shown(target)}: version {one.endpoint.version}")
    return 0 if all(one.is_well or one.state == "to be released" for one in compared) else 1


def _chosen(names: Sequence[str]) -> dict[str, Path]:
    files = find_endpoints()
    for name in names:
        if name not in files:
            raise click.UsageError(f"There is no endpoint {name!r}. There are: {', '.join(files)}.")
    return {name: files[name] for name in dict.fromkeys(names or files)}


def _compare(name: str, file: Path) -> _Compared:
    try:
        endpoint = load_endpoint(file)
        there = file.with_name(RELEASED)
        released = read_released(there, shown(there))
    except FixConfiguration as error:
        return _Compared(name=name, file=file, error=error)
    changes = [*_taken(endpoint), *schema_changes(released, endpoint)]
    return _Compared(name=name, file=file, endpoint=endpoint, released=released, changes=changes)


def _taken(endpoint: Endpoint) -> Iterator[Change]:
    """Yield the tables that another endpoint fills too: neither would know its own rows again."""
    for name, file in find_endpoints().items():
        try:
            other = load_endpoint(file)
        except FixConfiguration:
            # Said where that endpoint is compared, or by `endpoints --check`.
            continue
        if name != endpoint.name:
            for table_name in other.tables.keys() & endpoint.tables.keys():
                yield Change(
                    table=table_name, what="the table has two owners", was=name, is_=endpoint.name,
                    next_step="give the newer one another name",
                )  # fmt: skip


def _explain(compared: Iterable[_Compared]) -> None:
    for one in compared:
        if one.error is not None:
            _say(one.error.message, one.error.next_step)
        for change in one.changes:
            was, now = change.was, change.is_
            step = f"was {was}, is {now}" if was and now else f"was {was}" if was else now
            words = filter(None, (shown(one.file), change.place, change.what, step))
            _say(": ".join(words), change.next_step)


def _say(what: str, next_step: str) -> None:
    click.echo(what, err=True)
    if next_step:
        click.echo(f"  next: {next_step}", err=True)


def _problems(one: _Compared) -> list[dict[str, Any]]:
    """Return what is to be done, as --json prints it."""
    changes = one.changes
    if one.error is not None:
        changes = [Change(what=one.error.message, was="", is_="", next_step=one.error.next_step)]
    return [
        {
            "file": shown(one.file), "table": change.table, "column": change.column, "what": change.what,
            "was": change.was, "is": change.is_, "refused": change.refused, "next_step": change.next_step,
        }
        for change in changes
    ]  # fmt: skip
