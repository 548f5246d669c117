"""Write one run's rows into a warehouse, as the collector does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.ledger import Attempt
from support.tables import batch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.endpoint import Endpoint
    from shared.warehouse import Warehouse, Written

__all__ = ["ids", "part", "run"]

Rows = list[dict[str, Any]]


def run(
    warehouse: Warehouse,
    declared: Endpoint,
    things: Iterable[dict[str, Any]],
    parts: Iterable[dict[str, Any]] = (),
    *,
    name: str,
    at: int,
    account: str = "default",
    commit: bool = True,
) -> Written | None:
    """Write one run's rows; return what was written, or None when it had been already."""
    prepare = getattr(warehouse, "prepare", None)
    if prepare is not None:
        prepare(declared)
    attempt = Attempt(attempt=f"{name}-{at}", endpoint=declared.name, schema_version=1, outcome="ok")
    with warehouse.begin(declared, name, account) as writer:
        if writer.done:
            return None
        writer.write("things", batch(declared, "things", list(things), run=name, at=at, account=account))
        if "parts" in declared.tables:
            writer.write("parts", batch(declared, "parts", list(parts), run=name, at=at, account=account))
        written = writer.finish()
        writer.record("runs", [{**attempt.row(), "run_id": name}])
        if commit:
            writer.commit()
        return None if written.repeated else written


def part(thing: int, index: int, text: str = "p") -> dict[str, Any]:
    """Return a row of ``parts``."""
    return {"thing_id": thing, "part_index": index, "part": text}


def ids(warehouse: Warehouse, table: str = "things", column: str = "id") -> list[Any]:
    """Return a column's values in their order."""
    found: Rows = warehouse.query(f"SELECT {column} FROM {table} ORDER BY {column}").to_pylist()
    return [row[column] for row in found]
