"""Files, and parts of files, that are made from the code: one truth, held by ``make check``.

A part stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import click

from shared.cli import cli
from shared.cli.markdown import markdown
from shared.cli.reference import reference
from shared.cli.terraform import outputs, variables
from shared.endpoint_file import find_endpoints, load_endpoint, schema_text
from shared.ledger import LEDGER, OUTCOMES
from shared.settings import DEFAULTS, ROOT
from shared.views import sources
from shared.views.translate import duckdb_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["generated"]

_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def generated() -> dict[Path, str]:
    """Return every generated file's text, by path."""
    readmes = (ROOT / "README.md", ROOT / "infra" / "README.md")
    endpoints = {name: load_endpoint(file) for name, file in find_endpoints().items()}
    return {
        ROOT / "functions" / "endpoint.schema.json": schema_text(),
        ROOT / "functions" / "README.md": reference(endpoints),
        ROOT / "infra" / "ledger.json": _ledger(),
        **duckdb_files(),
        **{readme: _filled(readme.read_text(encoding="utf-8")) for readme in readmes},
    }


def _filled(text: str) -> str:
    """Return a text with each of its parts made anew."""
    return _PART.sub(lambda part: f"{part[1]}{_PARTS[part[2]]()}\n{part[3]}", text)


def _ledger() -> str:
    """Return the ledger's tables and views as Terraform reads them."""
    # Half a second of imports, for this alone.
    from shared.warehouse.bigquery_ledger import ledger_table, ledger_view, log_name  # noqa: PLC0415

    tables = {}
    for name, declared in LEDGER.items():
        table = ledger_table(f"project.dataset.{log_name(name)}", name)
        tables[log_name(name)] = {
            "description": table.description,
            "partition": declared.partition,
            "cluster": list(declared.cluster),
            "schema": [
                {"name": f.name, "type": f.field_type, "mode": f.mode, "description": f.description}
                for f in table.schema
            ],
            "view": {
                "description": declared.description,
                "query": ledger_view(lambda table: f"`${{dataset}}.{table}`", name),
            },
        }
    return json.dumps(tables, indent=2) + "\n"


def _views() -> str:
    return markdown(("view", "what a row is"), [(f"`{view.name}`", view.description) for view in sources()])


def _commands() -> str:
    rows = []
    for context in _each_command(click.Context(cli, info_name="tcdatalogger")):
        usage = context.command.get_usage(context).removeprefix("Usage: ").replace(" [OPTIONS]", "")
        options = " ".join(o.opts[0] for o in context.command.params if isinstance(o, click.Option))
        rows.append(
            (f"`{usage}`", context.command.get_short_help_str(200), f"`{options}`" if options else "")
        )
    return markdown(("command", "what it does", "options"), rows)


def _each_command(above: click.Context) -> Iterator[click.Context]:
    """Yield every command's context, those of a group in the group's place."""
    group = above.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(above):
        command = group.get_command(above, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=above)
        if isinstance(command, click.Group):
            yield from _each_command(context)
        else:
            yield context


def _settings() -> str:
    rows = [
        (f"`{name}`", f"`{default}`" if default else "", text) for name, (default, text) in DEFAULTS.items()
    ]
    rows.append(("`TORN_API_KEY`", "", "The key, on a laptop; without it a simulated faction is collected."))
    return markdown(("variable", "default", "what it is"), rows)


def _endpoints() -> str:
    rows = []
    for name, file in find_endpoints().items():
        endpoint = load_endpoint(file)
        for table_name, table in endpoint.tables.items():
            rows.append(
                (
                    f"[{name}](functions/{name}/endpoint.yaml)", endpoint.every, f"`{table_name}`",
                    table.mode, str(len(table.columns) + len(table.parent)), table.description,
                )
            )  # fmt: skip
    return markdown(("endpoint", "every", "table", "mode", "columns", "what a row is"), rows)


def _outcomes() -> str:
    return markdown(("outcome", "what it means"), [(f"`{name}`", text) for name, text in OUTCOMES.items()])


_PARTS = {
    "commands": _commands,
    "endpoints": _endpoints,
    "outcomes": _outcomes,
    "outputs": outputs,
    "settings": _settings,
    "variables": variables,
    "views": _views,
}
