"""The steps of a run, one at a time and on files: ``fetch``, ``flatten``, ``check``, ``store``."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pyarrow as pa

from shared.archive import MANIFEST, Archive
from shared.cli.hooks import derive_of
from shared.cli.local import Message, faction, local, make_collector, one_endpoint, shown
from shared.cli.show import as_json, table
from shared.errors import BrokenContract, FixConfiguration, TooManyRejected
from shared.flattening import Flattening
from shared.ledger import Attempt, drift_rows, rejected_rows
from shared.message import Request, read_message
from shared.warehouse import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shared.endpoint import Endpoint

__all__ = ["check", "fetch", "flatten", "store"]

_FILES = click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
_REQUEST = click.option("--request", help="Which request bodies answer, where there are several.")


@click.command()
@click.argument("endpoint")
@click.option("--account", help="Whose data; needed when there are several accounts.")
def fetch(endpoint: str, account: str | None) -> None:
    """Read the API into the archive, and print the manifest's path."""
    declared = one_endpoint(endpoint)
    here = local()
    body = b"{}" if account is None else b'{"account": "%s"}' % account.encode()
    with faction(here) as there:
        one = make_collector(declared, there)
        request = read_message(declared, one.settings.accounts, Message(body))
        one.fetcher.fetch(request, secrets.token_hex(6))
        place = f"{one.archive.url}/{request.folder}/{MANIFEST}"
    click.echo(shown(Path(place.removeprefix("file:"))) if place.startswith("file:") else place)


@click.command()
@click.argument("endpoint")
@_FILES
@_REQUEST
@click.option(
    "--out", default="data/flat", show_default=True, type=click.Path(path_type=Path), help="Where to write."
)
def flatten(endpoint: str, files: tuple[Path, ...], request: str | None, out: Path) -> None:
    """Flatten bodies, or a manifest's, to one Parquet file per table.

    FILES are response bodies (.json, or .json.zst as archived) or one manifest.json.
    """
    from pyarrow import parquet  # noqa: PLC0415 - 60 ms, only here

    declared = one_endpoint(endpoint)
    work = _work(declared, files, request)
    found = Flattening(declared, work.constants, derive_of(declared))
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        writers: dict[str, Any] = {}
        for flat in found.pages(work.pages()):
            for name, batch in flat.batches.items():
                if name not in writers:
                    writer = parquet.ParquetWriter(out / f"{name}.parquet", batch.schema, compression="zstd")
                    writers[name] = stack.enter_context(writer)
                writers[name].write_batch(batch)
    rows = [(name, found.quality.rows[name], shown(out / f"{name}.parquet")) for name in writers]
    table(("table", "rows", "file"), rows)
    if found.rejected:
        click.echo(f"{len(found.rejected)} records were set aside; `tcdatalogger check` says which", err=True)


@click.command()
@click.argument("endpoint")
@_FILES
@_REQUEST
@click.option("--json", "json_output", is_flag=True, help="Print it as JSON.")
def check(endpoint: str, files: tuple[Path, ...], request: str | None, *, json_output: bool) -> int:
    """Say what is wrong or new in bodies, or a manifest's; exit 1 if a run would refuse them."""
    declared = one_endpoint(endpoint)
    work = _work(declared, files, request)
    found = Flattening(declared, work.constants, derive_of(declared))
    for _ in found.pages(work.pages()):
        pass
    quality = found.quality
    refused = ""
    try:
        found.accept()
    except TooManyRejected as error:
        refused = error.message
    if json_output:
        as_json(
            {
                "records": quality.records, "rows": quality.rows,
                "rejected": [{"path": r.path, "reason": r.reason} for r in found.rejected],
                "drift": [{"request": name, "path": d.path, "type": d.type} for name, d in found.drift],
                "warnings": quality.warnings, "duplicates": quality.duplicates,
                "null_shares": quality.null_shares(), "refused": refused or None,
            }
        )  # fmt: skip
        return 1 if refused else 0
    findings = [("rejected", r.path, r.reason) for r in found.rejected]
    findings += [("new field", d.path, d.type) for _, d in found.drift]
    findings += [
        ("warning", name, f"{what}: {count} values")
        for name, counts in quality.warnings.items()
        for what, count in counts.items()
    ]
    findings += [("duplicate", name, f"{count} rows") for name, count in quality.duplicates.items()]
    click.echo(f"{quality.records} records; " + ", ".join(f"{n} {t}" for t, n in quality.rows.items()))
    if findings:
        table(("what", "where", "why"), findings)
    else:
        click.echo("all as declared")
    if refused:
        click.echo(f"a run would be refused: {refused}", err=True)
    return 1 if refused else 0


@click.command()
@click.argument("endpoint")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def store(endpoint: str, folder: Path) -> None:
    """Write the Parquet files that `flatten` made into the warehouse, exactly once."""
    declared = one_endpoint(endpoint)
    here = local()
    tables = {name: _parquet(folder / f"{name}.parquet") for name in declared.tables}
    run_id = _run_id(declared, tables)
    _, account, name = run_id.split("/", 2)
    now = datetime.now(UTC)
    attempt = Attempt(
        attempt=secrets.token_hex(6),
        endpoint=declared.name,
        schema_version=declared.version,
        request=Request(
            endpoint=declared.name, account=account, name=name, message_id="store", published_at=now
        ),
        archive_uri=shown(folder.resolve()),
    )
    warehouse = open_warehouse(here.settings.warehouse, wait=here.settings.warehouse_wait)
    with warehouse.begin(declared, run_id, account) as writer:
        attempt.outcome = "repeated"
        if not writer.done:
            for name, rows in tables.items():
                for batch in rows.to_batches():
                    writer.write(name, batch)
            written = writer.finish()
            attempt.rows = written.rows
            attempt.outcome = "superseded" if written.superseded else "ok"
        attempt.lap("write")
        writer.record("runs", [attempt.row()])
        writer.record("rejected_rows", rejected_rows(attempt, []))
        writer.record("drift", drift_rows(attempt, []))
        writer.commit()
    click.echo(f"{run_id}: {attempt.outcome}")
    table(("table", "rows"), list(attempt.rows.items()))


@dataclass(frozen=True, slots=True)
class _Work:
    """Bodies to flatten, and what a run knows of their rows."""

    constants: dict[str, Any]
    bodies: Sequence[tuple[str, Any, datetime]]

    def pages(self) -> Iterator[tuple[str, bytes, datetime]]:
        """Yield request, body and time, the one read last first."""
        for request, read, fetched_at in reversed(self.bodies):
            yield request, read(), fetched_at


def _work(endpoint: Endpoint, files: Sequence[Path], request: str | None) -> _Work:
    if any(file.name == MANIFEST for file in files):
        if len(files) > 1:
            raise click.UsageError("Give one manifest, or bodies.")
        return _manifest_work(endpoint, files[0].resolve())
    name = request or next(iter(endpoint.requests))
    if name not in endpoint.requests or (request is None and len(endpoint.requests) > 1):
        raise click.UsageError(f"Say with --request which these answer: {', '.join(endpoint.requests)}.")
    return _Work(
        _constants(f"{endpoint.name}/files/{files[0].stem}", "files"),
        [(name, _reader(file), datetime.fromtimestamp(file.stat().st_mtime, UTC)) for file in files],
    )


def _manifest_work(endpoint: Endpoint, file: Path) -> _Work:
    # <archive>/<endpoint>/<account>/<date>/<run>/manifest.json
    archive = Archive(f"file:{file.parents[4]}")
    manifest = archive.manifest(str(file.parent.relative_to(file.parents[4])))
    if manifest is None or manifest.run_id.split("/")[0] != endpoint.name:
        raise FixConfiguration(
            f"{shown(file)} is no manifest of {endpoint.name}",
            next_step="take what `tcdatalogger fetch` printed",
        )
    return _Work(
        _constants(manifest.run_id, manifest.run_id.split("/")[1]),
        [(p.request, lambda p=p: archive.body(p), p.fetched_at) for p in manifest.pages],
    )


def _constants(run_id: str, account: str) -> dict[str, Any]:
    known = local().settings.accounts.get(account)
    return {"$run_id": run_id, "$account": account, "$faction_id": known.faction_id if known else None}


def _reader(file: Path) -> Any:
    def read() -> bytes:
        data = file.read_bytes()
        if file.suffix != ".zst":
            return data
        try:
            return bytes(pa.CompressedInputStream(pa.BufferReader(data), "zstd").read())
        except OSError as error:
            raise BrokenContract(f"{shown(file)} is not zstd: {error}", next_step="check the file") from error

    return read


def _parquet(file: Path) -> pa.Table:
    from pyarrow import parquet  # noqa: PLC0415 - 60 ms, only here

    try:
        return parquet.read_table(file)
    except (OSError, pa.ArrowInvalid) as error:
        raise FixConfiguration(
            f"{shown(file)} cannot be read: {error}", next_step="make it with `tcdatalogger flatten`"
        ) from error


def _run_id(endpoint: Endpoint, tables: dict[str, pa.Table]) -> str:
    found = {value for rows in tables.values() for value in set(rows.column("_run_id").to_pylist())}
    if len(found) != 1:
        raise FixConfiguration(
            f"these files hold rows of {len(found)} runs of {endpoint.name}; one run is written at a time",
            next_step="make them with one `tcdatalogger flatten`",
        )
    return str(found.pop())
