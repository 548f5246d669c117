"""``tcdatalogger tables apply`` on both warehouses, in a copy of the repository whose tables are changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar

import duckdb
import pytest
import yaml
from support.processes import ROOT, unmeasured

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from google.cloud import bigquery
    from support.bigquery import Dataset

LEDGER = ("runs", "rejected_rows", "drift", "schema_versions")


class Copy:
    """A copy of the package and of one endpoint, a warehouse, and the command as it runs there."""

    #: A type as it is declared → as the warehouse names it.
    types: ClassVar[dict[str, str]]

    def __init__(self, folder: Path, url: str, **env: str) -> None:
        self.folder = folder / "copy"
        shutil.copytree(ROOT / "shared", self.folder / "shared", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "functions" / "currency", self.folder / "functions" / "currency")
        self.file = self.folder / "functions" / "currency" / "endpoint.yaml"
        self.declared: dict[str, Any] = yaml.safe_load(self.file.read_text(encoding="utf-8"))
        # The copy is not what is measured.
        kept = {name: value for name, value in os.environ.items() if name not in unmeasured()}
        self.env = {**kept, "WAREHOUSE": url, "ARCHIVE": f"file:{folder}/archive", **env}

    @property
    def listings(self) -> dict[str, Any]:
        """Give what is declared of the table of listings, to be changed."""
        return self.declared["tables"]["currency_listings"]

    @property
    def columns(self) -> dict[str, Any]:
        return self.listings["columns"]

    def __call__(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        self.file.write_text(yaml.safe_dump(self.declared, sort_keys=False), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", "from shared.cli import main; main()", "tables", "apply", *words],
            cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done


class File(Copy):
    """With a DuckDB file."""

    types: ClassVar = {"INTEGER": "BIGINT", "STRING": "VARCHAR"}

    def __init__(self, folder: Path) -> None:
        self.database = folder / "w.duckdb"
        super().__init__(folder, f"duckdb:{self.database}")
        self.place = str(self.database)

    def write(self, sql: str) -> None:
        with duckdb.connect(str(self.database)) as connection:
            connection.execute(sql)

    def there(self) -> dict[str, Any]:
        """Return every table and column that there is; nothing without a file."""
        if not self.database.exists():
            return {}
        with duckdb.connect(str(self.database), read_only=True) as connection:
            what = "(column_name, data_type, is_nullable, comment)"
            found = connection.execute(
                f"SELECT table_name, list({what} ORDER BY column_index) FROM duckdb_columns() "
                "WHERE NOT internal GROUP BY ALL"
            ).fetchall()
        return dict(found)

    def column(self, name: str) -> tuple[str, bool, str]:
        [found] = [one for one in self.there()["currency_listings"] if one[0] == name]
        return found[1:]


class Cloud(Copy):
    """With a dataset, which is not there yet."""

    types: ClassVar = {"INTEGER": "INTEGER", "STRING": "STRING"}

    def __init__(self, folder: Path, dataset: Dataset) -> None:
        super().__init__(folder, dataset.url, BIGQUERY_EMULATOR_HOST=dataset.host)
        self.dataset = dataset
        self.place = dataset.url
        self.whole = f"{dataset.project}.{dataset.name}"
        dataset.drop()

    def table(self, name: str = "currency_listings") -> bigquery.Table:
        return self.dataset.client.get_table(f"{self.whole}.{name}")

    def write(self, sql: str) -> None:
        from google.cloud import bigquery  # noqa: PLC0415

        config = bigquery.QueryJobConfig(default_dataset=self.whole)
        self.dataset.client.query(sql, job_config=config).result()

    def there(self) -> dict[str, Any]:
        datasets = {one.dataset_id for one in self.dataset.client.list_datasets()}
        if self.dataset.name not in datasets:
            return {}
        return {
            one.table_id: self.table(one.table_id).to_api_repr()
            for one in self.dataset.client.list_tables(self.whole)
        }

    def column(self, name: str) -> tuple[str, bool, str]:
        [found] = [one for one in self.table().schema if one.name == name]
        return found.field_type, found.mode != "REQUIRED", found.description


@pytest.fixture(name="cloud")
def _cloud(tmp_path, dataset):
    return Cloud(tmp_path, dataset)


@pytest.fixture(name="file")
def _file(tmp_path):
    return File(tmp_path)


@pytest.fixture(name="copy", params=["duckdb", "bigquery"])
def _copy(request):
    return request.getfixturevalue("file" if request.param == "duckdb" else "cloud")


def said(done: subprocess.CompletedProcess[str]) -> set[str]:
    return set(done.stdout.splitlines())


def test_everything_is_made_once(copy):
    """The first time it makes tables, and what they are in, and says so; the second time there are none."""
    assert copy.there() == {}
    lines = said(copy("currency"))
    made = {line.removesuffix(": made") for line in lines}
    assert {"currency", "currency_listings", *LEDGER} <= made
    assert all(line.endswith(": made") for line in lines)
    there = copy.there()
    assert made <= there.keys()
    done = copy("currency")
    assert done.stdout == f"{copy.place}: the tables of currency are as declared\n"
    assert copy.there() == there
    assert said(copy()) == said(done)


def test_a_dry_run_makes_nothing(copy):
    """It says what would be made, and not even the dataset or the file is there afterwards."""
    lines = said(copy("currency", "--dry-run"))
    assert {"currency: would be: made", "currency_listings: would be: made"} <= lines
    assert copy.there() == {}
    assert not (isinstance(copy, File) and copy.database.exists())
    copy("currency")
    there = copy.there()
    copy.columns["seller"] = {"type": "STRING", "description": "Who."}
    done = copy("currency", "--dry-run")
    # BigQuery's view of the newest rows names their columns.
    follows = "currency_listings_latest: would be: SQL\n" if isinstance(copy, Cloud) else ""
    assert done.stdout == f"currency_listings: would be: column seller added\n{follows}"
    assert copy.there() == there


def test_what_was_declared_since_is_added(copy):
    """A new column comes last, REQUIRED is relaxed, and rows stay."""
    copy.columns["quantity"]["mode"] = "REQUIRED"
    copy("currency")
    copy.write(
        "INSERT INTO currency_listings (_run_id, _account, server_timestamp, id, quantity) "
        "VALUES ('r', 'a', TIMESTAMP '2026-11-20 00:00:00+00', 1, 2)"
    )
    del copy.columns["quantity"]["mode"]
    copy.columns["seller"] = {"type": "STRING", "description": "Who sells."}
    assert said(copy("currency")) == {
        "currency_listings: column quantity may be NULL",
        "currency_listings: column seller added",
        *(["currency_listings_latest: SQL"] if isinstance(copy, Cloud) else []),
    }
    assert copy.column("quantity")[1] is True
    assert copy.column("seller") == (copy.types["STRING"], True, "Who sells.")
    assert "are as declared" in copy("currency").stdout
    copy.write(
        "INSERT INTO currency_listings (_run_id, _account, server_timestamp, id, seller) "
        "VALUES ('r', 'a', TIMESTAMP '2026-11-20 00:00:00+00', 2, 'me')"
    )


def test_texts_labels_and_clusters_follow(cloud):
    """What says nothing of the rows is changed, each in words; labels of others stay."""
    cloud("currency")
    table = cloud.table()
    table.labels = {**table.labels, "team": "blue"}
    cloud.dataset.client.update_table(table, ["labels"])
    cloud.listings["description"] = "Every listing."
    cloud.columns["cost"]["description"] = "The cost of one."
    cloud.listings["cluster"] = ["id"]
    cloud.declared["version"] = 2
    assert said(cloud("currency")) == {
        "currency: labels",
        "currency_listings: description of cost",
        "currency_listings: clustered by _account, id",
        "currency_listings: description",
        "currency_listings: labels",
    }
    table = cloud.table()
    assert (table.description, table.clustering_fields) == ("Every listing.", ["_account", "id"])
    assert table.labels == {"endpoint": "currency", "schema_version": "2", "team": "blue"}
    assert cloud.column("cost")[2] == "The cost of one."
    assert table.time_partitioning.field == "server_timestamp"
    assert "are as declared" in cloud("currency").stdout


def _lose(copy: Copy) -> str:
    del copy.columns["cost"]
    return "the column cost is there and not declared: it would be lost"


def _retype(copy: Copy) -> str:
    copy.columns["cost"] = {"type": "STRING", "from": "cost", "description": "What one costs."}
    types = copy.types
    return f"the column cost is {types['INTEGER']} and declared {types['STRING']}"


def _require(copy: Copy) -> str:
    copy.columns["cost"]["mode"] = "REQUIRED"
    return "the column cost is NULLABLE and declared REQUIRED: it may hold NULLs"


def _add_required(copy: Copy) -> str:
    copy.columns["late"] = {"type": "STRING", "mode": "REQUIRED", "from": "late", "description": "Late."}
    return "the column late is new and REQUIRED: older rows do not have it"


def _view_there(copy: Copy) -> str:
    if isinstance(copy, Cloud):
        # The emulator shows no view that does not fit its table; BigQuery does.
        copy.dataset.client.delete_table(f"{copy.whole}.currency_listings_latest")
    copy.write("DROP TABLE currency_listings")
    copy.write("CREATE VIEW currency_listings AS SELECT 1 AS id")
    return "it is a view; a table of this name is to be made"


def test_what_would_lose_or_retype_data_is_refused(copy):
    """The table, the column, and why; nothing at all is changed then, not even what could be; exit 1."""
    copy("currency")
    declared = deepcopy(copy.declared)
    for change in (_lose, _retype, _require, _add_required, _view_there):
        copy.declared = deepcopy(declared)
        _is_refused(copy, change)


def _is_refused(copy: Copy, change: Callable[[Copy], str]) -> None:
    words = change(copy)
    copy.declared["tables"]["currency"]["columns"]["extra"] = {"type": "STRING", "description": "More."}
    before = copy.there()
    done = copy("currency", code=1)
    assert done.stdout == ""
    assert done.stderr.splitlines()[0] == f"currency_listings: refused: {words}"
    assert done.stderr.splitlines()[-1].startswith("nothing was changed. Columns keep their names and types")
    assert copy.there() == before
    assert copy("currency", "--dry-run", code=1).stderr == done.stderr


def test_another_partition_is_refused(cloud):
    """Rows would have to be written anew."""
    cloud("currency")
    before = cloud.there()
    del cloud.listings["partition"]
    done = cloud("currency", code=1)
    assert "refused: it is partitioned by server_timestamp and declared by nothing" in done.stderr
    assert cloud.there() == before


def test_a_table_where_a_view_is_to_be_is_refused(cloud):
    """The ledger's views do not take the place of a table that somebody made."""
    cloud("currency")
    # Those that read it too: the emulator shows no view that does not fit its table; BigQuery does.
    for name in ("runs", "row_changes", "null_share_changes"):
        cloud.dataset.client.delete_table(f"{cloud.whole}.{name}")
    cloud.write("CREATE TABLE runs AS SELECT 1 AS id")
    done = cloud("currency", code=1)
    assert "runs: refused: it is a table; a view of this name is to be made" in done.stderr


@pytest.mark.parametrize("name", ["currency_listings", "runs"])
def test_what_terraform_made_is_left_to_it(cloud, name):
    """As declared it is fine; to be changed, table or view, it is Terraform's to change."""
    cloud("currency")
    table = cloud.table(name)
    table.labels = {**table.labels, "goog-terraform-provisioned": "true"}
    if name == "runs":
        table.view_query = "SELECT 1 AS one"
    cloud.dataset.client.update_table(table, ["labels", *(["view_query"] if name == "runs" else [])])
    if name != "runs":
        assert "are as declared" in cloud("currency").stdout
        cloud.columns["seller"] = {"type": "STRING", "description": "Who."}
    before = cloud.there()
    done = cloud("currency", code=1)
    assert done.stderr.splitlines()[0] == (
        f"{name}: refused: it is Terraform's, by its labels: `terraform apply` changes it"
    )
    assert cloud.there() == before


def test_an_unknown_endpoint_is_answered_with_what_there_is(file):
    """Nothing is made for a typing error."""
    assert "There are: currency." in file("curency", code=2).stderr
    assert file.there() == {}
