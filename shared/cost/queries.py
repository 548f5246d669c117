"""What a run's transactions bill: a few small statements, each table at its least or as large as it is.

The statements are those of ``shared.warehouse.bigquery_modes``. A SELECT pays for the columns that it
names, a DELETE for all columns of the table, of those partitions that it is kept to. Tables are
clustered by account, and every statement names the account whose rows it is about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.cost.facts import LIMITS
from shared.cost.figures import columns_bytes
from shared.warehouse.families import families

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shared.cost.figures import RunFigures
    from shared.cost.setup import Setup
    from shared.cost.sizes import Sizes
    from shared.warehouse.families import Family

__all__ = ["billed_bytes", "statements", "transactions"]

#: The transaction's own table of keys: always below the least that is billed.
_KEYS = 0.0


def transactions(setup: Setup, figures: RunFigures) -> list[Family]:
    """Return the families that a run writes with a transaction."""
    tables = setup.endpoint.tables
    return [
        family
        for family in families(setup.endpoint)
        if tables[family.root].mode == "replace"
        or (tables[family.root].mode == "merge" and figures.rows[family.root])
    ]


def billed_bytes(sizes: Sizes) -> float:
    """Return the bytes that one run's transactions bill."""
    least = LIMITS.amount("query_minimum")
    return sum(
        max(least, read)
        for family in transactions(sizes.setup, sizes.figures)
        for statement in statements(sizes, family)
        for read in statement
    )


def statements(sizes: Sizes, family: Family) -> list[Sequence[float]]:
    """Return, for each statement of a family's transaction, the bytes of each table that it refers to."""
    if sizes.setup.endpoint.tables[family.root].mode == "merge":
        return list(_merge(sizes, family))
    return list(_replace(sizes, family))


def _merge(sizes: Sizes, family: Family) -> Iterable[Sequence[float]]:
    endpoint, figures = sizes.setup.endpoint, sizes.figures
    table = endpoint.tables[family.root]
    named = {"_account", *table.key, table.version_column, table.partition}
    touched = sizes.touched(family) * _own(sizes)
    yield figures.table_bytes(family.root), touched * _share(sizes, family.root, named)
    for name in family.tables:
        yield touched if name == family.root else sizes.stored(family, name) * _own(sizes), _KEYS
        if figures.rows[name]:
            yield figures.table_bytes(name), _KEYS


def _replace(sizes: Sizes, family: Family) -> Iterable[Sequence[float]]:
    endpoint, figures = sizes.setup.endpoint, sizes.figures
    named = {"_account", endpoint.tables[family.root].version_column}
    own = _own(sizes)
    yield (sizes.stored(family, family.root) * own * _share(sizes, family.root, named),)
    for name in family.tables:
        yield _KEYS, sizes.stored(family, name) * own * _share(sizes, name, {"_account"})
    for name in family.tables:
        yield sizes.stored(family, name) * own, _KEYS
        if figures.rows[name]:
            yield figures.table_bytes(name), _KEYS


def _own(sizes: Sizes) -> float:
    """Return the share of a table that is one account's."""
    return 1 / sizes.setup.parts(sizes.accounts)


def _share(sizes: Sizes, name: str, columns: set[str | None]) -> float:
    """Return the share of a table's bytes that some of its columns have."""
    return min(1.0, columns_bytes(sizes.setup.endpoint, name, columns) / sizes.figures.row_bytes[name])
