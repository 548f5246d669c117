"""Files, and parts of files, that are made from the code: one truth, held by ``make check``.

A part stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

import click

from shared.cli import COMMANDS
from shared.endpoint_file import find_endpoints, load_endpoint, schema_text
from shared.ledger import OUTCOMES
from shared.settings import DEFAULTS, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

__all__ = ["generated"]

_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def generated() -> dict[Path, str]:
    """Return every generated file's text, by path."""
    readme = ROOT / "README.md"
    return {
        ROOT / "functions" / "endpoint.schema.json": schema_text(),
        readme: _PART.sub(
            lambda part: f"{part[1]}{_PARTS[part[2]]()}\n{part[3]}", readme.read_text(encoding="utf-8")
        ),
    }


def _commands() -> str:
    rows = []
    for name, module in COMMANDS.items():
        command: click.Command = getattr(import_module(f"shared.cli.{module}"), name)
        context = click.Context(command, info_name=f"tcdatalogger {name}")
        usage = command.get_usage(context).removeprefix("Usage: ").replace(" [OPTIONS]", "")
        options = " ".join(o.opts[0] for o in command.params if isinstance(o, click.Option))
        rows.append((f"`{usage}`", command.get_short_help_str(200), f"`{options}`" if options else ""))
    return _markdown(("command", "what it does", "options"), rows)


def _settings() -> str:
    rows = [
        (f"`{name}`", f"`{default}`" if default else "", text) for name, (default, text) in DEFAULTS.items()
    ]
    rows.append(("`TORN_API_KEY`", "", "The key, on a laptop; without it a simulated faction is collected."))
    return _markdown(("variable", "default", "what it is"), rows)


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
    return _markdown(("endpoint", "every", "table", "mode", "columns", "what a row is"), rows)


def _outcomes() -> str:
    return _markdown(("outcome", "what it means"), [(f"`{name}`", text) for name, text in OUTCOMES.items()])


_PARTS = {
    "commands": _commands,
    "endpoints": _endpoints,
    "outcomes": _outcomes,
    "settings": _settings,
}


def _markdown(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)
