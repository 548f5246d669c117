"""``tcdatalogger new``: an endpoint for any path of the API, drafted from its OpenAPI document."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from shared.cli.local import shown
from shared.endpoint_file import FUNCTIONS, find_endpoints, load_endpoint
from shared.errors import EndpointInvalid, FixConfiguration
from shared.openapi import Document
from shared.openapi.draft import draft_endpoint, endpoint_name, name_problem
from shared.request_rules import segment_problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shared.openapi import Operation
    from shared.openapi.draft import Draft

__all__ = ["new", "write_folder"]

_WHOLE = re.compile(r"-?\d{1,15}")


@click.command()
@click.argument("path")
@click.option(
    "--spec",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The API's OpenAPI document, JSON or YAML.",
)
@click.option("--name", help="The endpoint's name; else it is made from the path.")
@click.option("--set", "params", multiple=True, metavar="NAME=VALUE", help="Decide a parameter's value.")
@click.option("--force", is_flag=True, help="Make an endpoint again that is there already.")
def new(path: str, spec: Path, name: str | None, params: tuple[str, ...], *, force: bool) -> int:
    """Draft the endpoint that collects the API's PATH, such as /faction/attacks."""
    document = Document.read(spec)
    path = "/" + path.strip("/")
    if path not in document.paths and (near := document.near(path)):
        raise click.UsageError(f"{spec} has no GET of {path}. Did you mean {' or '.join(near)}?")
    operation = document.operation(path)
    name = name or endpoint_name(path)
    problem = name_problem(name)
    if problem is not None:
        raise click.BadParameter(f"{name!r} cannot be an endpoint's name: {problem}.", param_hint="--name")
    folder = FUNCTIONS / name
    if folder.exists() and not force:
        raise click.UsageError(
            f"{shown(folder)} is there already; choose another --name, or --force it to be made again."
        )
    draft = draft_endpoint(operation, name, given=_given(operation, params), taken=_tables(name))
    write_folder(folder, draft.files)
    _say(draft, folder)
    return 0


def write_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Write an endpoint's folder whole and valid, or nothing; other files in it stay.

    Raises:
        EndpointInvalid: what was drafted has mistakes.
        FixConfiguration: the disk refuses.
    """
    try:
        # Two folders down, so that nobody takes it for an endpoint, and named as it will be.
        with TemporaryDirectory(dir=folder.parent, prefix=".new-") as aside:
            made = Path(aside) / folder.name
            made.mkdir()
            for name, text in files.items():
                (made / name).write_text(text, encoding="utf-8")
            load_endpoint(made / "endpoint.yaml")
            _put(made, folder, Path(aside) / "before")
    except OSError as error:
        raise FixConfiguration(
            f"{shown(folder)} cannot be written: {error.strerror}",
            next_step="see to the folder's permissions",
        ) from error


def _put(made: Path, folder: Path, before: Path) -> None:
    """Put a folder in its place, and back what was there if that does not succeed."""
    if folder.exists():
        for kept in folder.iterdir():
            if kept.name not in {"__pycache__", *(file.name for file in made.iterdir())}:
                (shutil.copytree if kept.is_dir() else shutil.copy2)(kept, made / kept.name)
        folder.rename(before)
    try:
        made.rename(folder)
    finally:
        if before.exists() and not folder.exists():
            before.rename(folder)


def _given(operation: Operation, params: tuple[str, ...]) -> dict[str, Any]:
    """Return the values that were decided, as YAML would read them."""
    known = {p.name: p.place for p in operation.params if p.place in {"path", "query"}}
    given: dict[str, Any] = {}
    for text in params:
        name, equals, value = text.partition("=")
        if not equals or not value:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE.", param_hint="--set")
        if name not in known:
            there = ", ".join(known) or "none"
            raise click.BadParameter(
                f"{operation.path} has no parameter {name!r}. There are: {there}.", param_hint="--set"
            )
        problem = segment_problem(value) if known[name] == "path" else None
        if problem is not None:
            raise click.BadParameter(f"{name}: {problem}.", param_hint="--set")
        words: dict[str, Any] = {"true": True, "false": False}
        given[name] = int(value) if _WHOLE.fullmatch(value) else words.get(value, value)
    return given


def _tables(name: str) -> Iterator[str]:
    """Yield the names of other endpoints' tables."""
    for other, file in find_endpoints().items():
        if other != name:
            try:
                yield from load_endpoint(file).tables
            except EndpointInvalid:
                click.echo(f"{shown(file)} has mistakes; its tables' names were not looked at", err=True)


def _say(draft: Draft, folder: Path) -> None:
    for file in draft.files:
        click.echo(f"wrote {shown(folder / file)}")
    click.echo(f"tables: {', '.join(draft.tables)}")
    if draft.decisions:
        click.echo("to decide:")
        for decision in draft.decisions:
            click.echo(f"  - {decision}")
    click.echo(f"next: tcdatalogger run {draft.name} --dry-run, then without; make generate for the README")
