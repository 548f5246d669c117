"""How a family of tables takes a run's rows in BigQuery: one multi-statement transaction, by SQL.

The rows stand in staging tables that were loaded for free. The transaction's last statement is its
COMMIT, so that a job that is done is a transaction that is committed; one that fails leaves all as
it was, and no reader sees a table empty or by half.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.warehouse.families import root_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shared.endpoint import Endpoint
    from shared.warehouse.families import Family

__all__ = ["REFUSED", "Script", "insert_order"]

#: What the error of a refused replace begins with.
REFUSED = "REPLACE_REFUSED: "


def insert_order(mode: str, family: Family) -> Sequence[str]:
    """Return the tables in the order in which a mode's script writes them."""
    # A merge asks the root what is newer, so the root goes last.
    return family.tables[::-1] if mode == "merge" else family.tables


@dataclass(frozen=True, slots=True)
class Script:
    """Writes a family's transactions.

    Args:
        endpoint: What is declared.
        family: The root and its children.
        tables: A table's quoted name.
        staged: Table → quoted name of its staging table, of those that have rows.
        columns: Table → its columns.
    """

    endpoint: Endpoint
    family: Family
    tables: Callable[[str], str]
    staged: Mapping[str, str]
    columns: Mapping[str, Sequence[str]]

    def merge(self, pruned: str = "TRUE") -> str:
        """Return the transaction that takes each root row, and exactly its children, where it is not older.

        ``pruned`` is a condition on the root's rows (``t``) that every stored row of a staged key meets;
        ``@account`` is whose rows these are. Tables are clustered by account, so that one account's run
        does not read all of the others' rows.
        """
        root = self.family.root
        version = self.endpoint.tables[root].version_column
        key = ["_account", *self.endpoint.tables[root].key]
        there = (
            f"SELECT {_listed(key, 't')}, MAX(t.`{version}`) AS newest FROM {self.tables(root)} AS t "
            f"WHERE t._account = @account AND {pruned} GROUP BY {_listed(key, 't')}"
        )
        taken = (
            f"CREATE TEMP TABLE taken AS SELECT {_listed(key, 's')} FROM {self.staged[root]} AS s "
            f"LEFT JOIN ({there}) AS there ON {_same('s', key, 'there', key)} "
            f"WHERE there.newest IS NULL OR there.newest <= s.`{version}`"
        )
        statements = [taken]
        for name in insert_order("merge", self.family):
            own = ["_account", *root_key(self.endpoint, self.family, name)]
            near = f" AND {pruned}" if name == root else ""
            known = f"EXISTS (SELECT 1 FROM taken AS k WHERE {_same('k', key, 't', own)})"
            own_rows = "t._account = @account"
            statements.append(f"DELETE FROM {self.tables(name)} AS t WHERE {own_rows} AND {known}{near}")
            statements += self._insert(name, known)
        return _transaction(statements)

    def replace(self) -> str:
        """Return the transaction that replaces an account's rows, unless newer ones are there.

        Its parameters are ``@account``, ``@newest`` (the staged rows' newest moment) and, per table i,
        ``@at_most_i``: with more rows than that there now, too many would vanish, and it is refused.
        """
        root = self.family.root
        version = self.endpoint.tables[root].version_column
        newer = (
            f"CREATE TEMP TABLE newer AS SELECT 1 AS found FROM {self.tables(root)} AS t "
            f"WHERE t._account = @account AND t.`{version}` > @newest LIMIT 1"
        )
        statements = [newer]
        absent = "NOT EXISTS (SELECT 1 FROM newer)"
        for number, name in enumerate(self.family.tables):
            there = f"(SELECT COUNT(*) FROM {self.tables(name)} AS t WHERE t._account = @account)"
            refuse = f"RAISE USING MESSAGE = '{REFUSED}{name}'"
            statements.append(f"IF {absent} AND {there} > @at_most_{number} THEN {refuse}; END IF")
        for name in self.family.tables:
            statements.append(
                f"DELETE FROM {self.tables(name)} AS t WHERE t._account = @account AND {absent}"
            )
            statements += self._insert(name, absent)
        return _transaction(statements)

    def _insert(self, name: str, condition: str) -> list[str]:
        if name not in self.staged:
            return []
        columns = self.columns[name]
        rows = f"SELECT {_listed(columns, 't')} FROM {self.staged[name]} AS t WHERE {condition}"
        return [f"INSERT INTO {self.tables(name)} ({_listed(columns)}) {rows}"]


def _transaction(statements: Sequence[str]) -> str:
    return ";\n".join(["BEGIN TRANSACTION", *statements, "COMMIT TRANSACTION"])


def _listed(columns: Sequence[str], table: str = "") -> str:
    prefix = f"{table}." if table else ""
    return ", ".join(f"{prefix}`{column}`" for column in columns)


def _same(left: str, columns: Sequence[str], right: str, others: Sequence[str]) -> str:
    return " AND ".join(
        f"{left}.`{one}` = {right}.`{other}`" for one, other in zip(columns, others, strict=True)
    )
