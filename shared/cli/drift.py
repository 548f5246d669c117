"""``tcdatalogger drift``: the endpoints against an OpenAPI document, before a run meets what is new."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shared.cli.local import shown
from shared.cli.show import as_json
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.errors import FixConfiguration
from shared.openapi import Document
from shared.openapi.request_drift import endpoint_findings

if TYPE_CHECKING:
    from shared.openapi.finding import Finding

__all__ = ["drift"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("endpoints", nargs=-1)
@click.option("--spec", type=_FILE, required=True, help="The OpenAPI document, JSON or YAML.")
@click.option("--since", type=_FILE, help="An earlier one: say only what is new since then.")
@click.option("--json", "json_output", is_flag=True, help="Print it as JSON.")
def drift(endpoints: tuple[str, ...], *, spec: Path, since: Path | None, json_output: bool) -> int:
    """Compare ENDPOINTS with the API's OpenAPI document; exit 1 if runs would break.

    It tells what the API promises. What runs have met that nobody declared is in the table `drift`.
    """
    files = find_endpoints()
    for name in endpoints:
        if name not in files:
            raise click.UsageError(f"There is no endpoint {name!r}. There are: {', '.join(files)}.")
    document = _read(spec)
    earlier = _read(since) if since is not None else None
    found = {
        name: endpoint_findings(load_endpoint(files[name]), document, earlier)
        for name in dict.fromkeys(endpoints or files)
    }
    if json_output:
        as_json([_plain(name, finding) for name, findings in found.items() for finding in findings])
    else:
        for name, findings in found.items():
            click.echo(f"{name} ({shown(files[name])}): {_count(findings)}")
            for finding in findings:
                click.echo(f"  {_line(finding)}")
    return 1 if any(finding.breaks for findings in found.values() for finding in findings) else 0


def _read(file: Path) -> Document:
    try:
        return Document.read(file)
    except FixConfiguration as error:
        # Called with the wrong file: nothing was compared.
        raise click.UsageError(str(error)) from error


def _count(findings: list[Finding]) -> str:
    breaking = sum(finding.breaks for finding in findings)
    if not findings:
        return "as the document has it"
    return f"{breaking} would break, {len(findings) - breaking} to know"


def _line(finding: Finding) -> str:
    place = ".".join(filter(None, (finding.table, finding.column))) or f"request {finding.request}"
    change = finding.was
    if finding.is_:
        change = f"{finding.was} → {finding.is_}" if finding.was else finding.is_
    elif finding.was:
        change = f"was {finding.was}"
    words = [place, finding.path, f"{finding.what} ({change})" if change else finding.what]
    return f"{_severity(finding)}: {': '.join(filter(None, words))}; next: {finding.next_step}"


def _plain(endpoint: str, finding: Finding) -> dict[str, Any]:
    return {
        "severity": _severity(finding), "endpoint": endpoint, "request": finding.request,
        "table": finding.table, "column": finding.column, "path": finding.path, "what": finding.what,
        "was": finding.was, "is": finding.is_, "next_step": finding.next_step,
    }  # fmt: skip


def _severity(finding: Finding) -> str:
    return "breaks" if finding.breaks else "notes"
