"""Print, as JSON, how often serve.py was asked, and where it answers otherwise than the emulator."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import serve
from local_bigquery.catalog import datasets, tables
from local_bigquery.engine import database
from local_bigquery.settings import settings
from local_bigquery.sql.rules import partitions
from sqlglot import exp

_ROWS = "SELECT range AS n, 'x' AS t FROM range(5)"
_CHANGES = (
    'CREATE SCHEMA "proj"."d"',
    'CREATE SCHEMA "proj"."other"',
    'CREATE TABLE "proj"."d"."t" ("n" BIGINT NOT NULL, "s" STRUCT("a" BIGINT), "t" VARCHAR)',
    f'INSERT INTO "proj"."d"."t" BY NAME {_ROWS}',
    'CREATE TABLE "proj"."other"."t" ("different" BIGINT NOT NULL)',
    'CREATE VIEW "proj"."d"."v" AS SELECT n FROM "proj"."d"."t"',
    'DELETE FROM "proj"."d"."t" WHERE n < 2',
    'ALTER TABLE "proj"."d"."t" ADD COLUMN "more" DOUBLE',
    'ALTER TABLE "proj"."d"."t" ALTER COLUMN "n" DROP NOT NULL',
    f'CREATE OR REPLACE TABLE "proj"."d"."r" AS {_ROWS}',
    f'CREATE OR REPLACE TABLE "emulator"."_results"."proj:job" AS {_ROWS}',
    'ALTER TABLE "emulator"."_results"."proj:job" ALTER COLUMN "n" SET NOT NULL',
    'CREATE TABLE "proj"."d"."p" ("n" BIGINT, "_PARTITIONTIME" TIMESTAMP)',
    'DROP VIEW "proj"."d"."v"',
    'DROP TABLE "proj"."d"."r"',
    'DROP SCHEMA "proj"."other" CASCADE',
)
_NAMES = [("proj", "d", name) for name in ("t", "v", "r", "p", "none")] + [("proj", "other", "t")]
_NAMES += [("emulator", "_results", name) for name in ("proj:job", "proj:none")]


def main() -> None:
    """Look up everything after every change, in both ways."""
    settings.data_dir, settings.default_project_id = Path(sys.argv[1]), "proj"
    settings.default_dataset_id = "none"
    asked: Counter[str] = Counter()
    different: list[Any] = []

    def both(sql: str, params: list[Any] | None = None) -> list[Any]:
        slow = serve.fetch(sql, params)
        if sql in serve._QUICKER:
            asked[sql] += 1
            quick = serve.quickly(sql, params)
            if sorted(quick) != sorted(slow):
                different.append([sql, params, quick, slow])
        return slow

    for change in _CHANGES:
        database.execute(change)
        database.fetch = both
        for dataset in ("d", "other"):
            datasets.exists("proj", dataset)
            database.objects("proj", dataset)
        for project, dataset, table in _NAMES:
            if database.objects(project, dataset, table):
                tables.columns("proj", dataset, table.removeprefix("proj:"))
            partitions._hidden(exp.table_(table, dataset, project, quoted=True))
        database.fetch = serve.fetch
    print(json.dumps({"asked": asked, "known": list(serve._QUICKER), "different": different}))


if __name__ == "__main__":
    main()
