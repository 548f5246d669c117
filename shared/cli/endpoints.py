"""``tcdatalogger endpoints``: what is declared, whether it is right, and what is made from it."""

from __future__ import annotations

import click

from shared.cli.local import one_endpoint, shown
from shared.cli.show import as_json, table
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.endpoint_rules import table_columns
from shared.errors import EndpointInvalid, FixConfiguration

__all__ = ["endpoints"]


@click.command()
@click.argument("name", required=False)
@click.option("--check", is_flag=True, help="Exit 1 when an endpoint.yaml or a generated file is wrong.")
@click.option("--generate", is_flag=True, help="Make the generated files again.")
@click.option("--json", "json_output", is_flag=True, help="Print it as JSON.")
def endpoints(name: str | None, *, check: bool, generate: bool, json_output: bool) -> int:
    """List the endpoints, or the tables and columns of one."""
    if generate:
        from shared.cli.generated import generated  # noqa: PLC0415 - it reads every command

        for file, text in generated().items():
            if not file.exists() or file.read_text(encoding="utf-8") != text:
                file.write_text(text, encoding="utf-8")
                click.echo(f"wrote {shown(file)}")
        return 0
    if check:
        return _check()
    if name is not None:
        _columns(name, json_output=json_output)
        return 0
    rows = []
    problems = 0
    for endpoint_name, file in find_endpoints().items():
        try:
            endpoint = load_endpoint(file)
        except FixConfiguration as error:
            problems += 1
            click.echo(str(error), err=True)
            continue
        rows.append(
            (
                endpoint_name, endpoint.every, endpoint.scope,
                ", ".join(f"{n} ({t.mode})" for n, t in endpoint.tables.items()), endpoint.description,
            )
        )  # fmt: skip
    names = ("endpoint", "every", "scope", "tables", "description")
    if json_output:
        as_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        table(names, rows)
    return 1 if problems else 0


def _check() -> int:
    problems: list[str] = []
    for file in find_endpoints().values():
        try:
            load_endpoint(file)
        except EndpointInvalid as error:
            problems.append(str(error))
    if not problems:
        from shared.cli.generated import generated  # noqa: PLC0415 - it reads every command

        problems = [
            f"{shown(file)} is not what the code says: run make generate"
            for file, text in generated().items()
            if not file.exists() or file.read_text(encoding="utf-8") != text
        ]
    for problem in problems:
        click.echo(problem, err=True)
    return 1 if problems else 0


def _columns(name: str, *, json_output: bool) -> None:
    endpoint = one_endpoint(name)
    rows = [
        (table_name, column_name, column.type, column.mode, column.from_, column.description)
        for table_name in endpoint.tables
        for column_name, column in table_columns(endpoint, table_name).items()
    ]
    names = ("table", "column", "type", "mode", "from", "description")
    if json_output:
        as_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        table(names, rows)
