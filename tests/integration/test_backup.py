"""``tcdatalogger backup`` and ``restore`` as a person calls them, on both warehouses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb
import pytest
from support.processes import BIN, Process, unmeasured, until
from support.terminal import on_terminal

from shared.backup.bigquery import BigQueryBackups
from shared.backup.bigquery_restore import Restore
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.errors import FixConfiguration, RetrySoon
from shared.warehouse import open_warehouse
from shared.warehouse.bigquery_jobs import Jobs
from shared.warehouse.bigquery_ledger import ledger_table
from shared.warehouse.bigquery_schema import declared_table

if TYPE_CHECKING:
    from pathlib import Path

    from support.bigquery import Dataset

CURRENCY = load_endpoint(find_endpoints()["currency"])
ROW = (
    "INSERT INTO {table} (_run_id, _account, server_timestamp, {columns}) "
    "VALUES ('r', 'default', TIMESTAMP '2026-11-{day} 00:00:00+00', {values})"
)


class Shop:
    """A warehouse with the points market in it, and the command."""

    def __init__(self, folder: Path, url: str, **env: str) -> None:
        self.folder = folder
        self.env = {
            **os.environ,
            "WAREHOUSE": url,
            "ARCHIVE": f"file:{folder}/archive",
            "COLUMNS": "120",
            **env,
        }

    def fill(self) -> None:
        """Write five listings and a price."""
        self.write(
            "INSERT INTO currency_listings (_run_id, _account, server_timestamp, id, quantity, cost) VALUES "
            + ", ".join(
                f"('r', 'default', TIMESTAMP '2026-11-1{n} 00:00:00+00', {n}, {n * 100}, 45000)"
                for n in range(5)
            )
        )
        self.write(ROW.format(table="currency", columns="name, buy_price", day=10, values="'Points', 45000"))

    def __call__(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [BIN / "tcdatalogger", *words], cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def json(self, *words: str) -> list[dict]:
        return json.loads(self(*words, "--json").stdout)

    def listed(self) -> dict[str, dict]:
        return {f"{one['table']} {one['kind']}": one for one in self.json("backup", "--list")}

    def listings(self) -> list[tuple]:
        return [
            tuple(row.values())
            for row in self.query("SELECT id, quantity, cost, total_cost FROM currency_listings ORDER BY id")
        ]


class File(Shop):
    """The DuckDB file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "w.duckdb"
        super().__init__(folder, f"duckdb:{self.file}")
        open_warehouse(self.env["WAREHOUSE"]).apply([CURRENCY])
        self.fill()

    def write(self, sql: str) -> None:
        with duckdb.connect(str(self.file)) as connection:
            connection.execute(sql)

    def query(self, sql: str) -> list[dict]:
        return open_warehouse(self.env["WAREHOUSE"]).query(sql).to_pylist()

    def tables(self) -> set[str]:
        return {row["table_name"] for row in self.query("SELECT table_name FROM duckdb_tables()")}

    def about(self) -> list:
        """Return what else the table is, beside its rows."""
        return self.query(
            "SELECT column_name, data_type, is_nullable, comment FROM duckdb_columns() "
            "WHERE table_name = 'currency_listings' ORDER BY column_index"
        )


class Cloud(Shop):
    """The dataset."""

    def __init__(self, folder: Path, dataset: Dataset) -> None:
        self.dataset = dataset
        super().__init__(folder, dataset.url, BIGQUERY_EMULATOR_HOST=dataset.host)
        place = dataset.warehouse.place
        # Each table more makes the emulator slower.
        dataset.client.create_table(ledger_table(place.table("runs_log"), "runs"))
        for name in CURRENCY.tables:
            self.make(name)
        listings = dataset.client.get_table(self.whole("currency_listings"))
        listings.labels = {**listings.labels, "goog-terraform-provisioned": "true"}
        dataset.client.update_table(listings, ["labels"])
        self.fill()

    def make(self, name: str) -> None:
        self.dataset.client.create_table(declared_table(self.whole(name), CURRENCY, name))

    def whole(self, name: str) -> str:
        return f"{self.dataset.project}.{self.dataset.name}.{name}"

    def write(self, sql: str) -> None:
        self.dataset.client.query(sql, job_config=self._config()).result()

    def query(self, sql: str) -> list[dict]:
        return self.dataset.query(sql).to_pylist()

    def tables(self) -> set[str]:
        listed = self.dataset.client.list_tables(f"{self.dataset.project}.{self.dataset.name}")
        return {one.table_id for one in listed if one.table_type == "TABLE"}

    def about(self) -> list:
        found = self.dataset.client.get_table(self.whole("currency_listings")).to_api_repr()
        changing = ("lastModifiedTime", "numRows", "numBytes", "etag")
        return [(k, v) for k, v in sorted(found.items()) if k not in changing and not k.endswith("Bytes")]

    def backups(self) -> BigQueryBackups:
        return BigQueryBackups(self.dataset.warehouse.place, CURRENCY.tables)

    def copies(self) -> dict[str, dict]:
        """Return what the copy jobs asked for, by the table that they made."""
        jobs = self.dataset.client.list_jobs(all_users=True, max_results=500)
        asked = [job.to_api_repr()["configuration"]["copy"] for job in jobs if job.job_type == "copy"]
        return {
            one["destinationTable"]["tableId"]: one
            for one in asked
            if one["destinationTable"]["datasetId"] == self.dataset.name
        }

    def _config(self):
        from google.cloud import bigquery  # noqa: PLC0415

        return bigquery.QueryJobConfig(default_dataset=f"{self.dataset.project}.{self.dataset.name}")


@pytest.fixture(name="cloud")
def _cloud(tmp_path, dataset):
    return Cloud(tmp_path, dataset)


@pytest.fixture(name="file")
def _file(tmp_path):
    return File(tmp_path)


@pytest.fixture(name="shop", params=["duckdb", "bigquery"])
def _shop(request):
    return request.getfixturevalue("file" if request.param == "duckdb" else "cloud")


def test_a_day_has_one_backup_of_every_table(shop):
    """The first says what it made and until when; the second makes nothing and shows the same."""
    before = datetime.now(UTC)
    made = {one["table"]: one for one in shop.json("backup")}
    ledger = {"runs", "runs_log"} & made.keys()
    assert {"currency", "currency_listings"} | ledger <= made.keys()
    assert ledger
    one = made["currency_listings"]
    assert (one["rows"], one["kind"], one["new"]) == (5, "monthly", True)
    taken, expires = (datetime.fromisoformat(one[name]) for name in ("taken_at", "expires"))
    assert before - timedelta(seconds=5) < taken < datetime.now(UTC) + timedelta(seconds=5)
    assert timedelta(days=88) < expires - taken < timedelta(days=93)
    again = {one["table"]: one for one in shop.json("backup")}
    assert again == {name: {**one, "new": False} for name, one in made.items()}
    told = shop("backup")
    assert "0 tables backed up now" in told.stderr
    assert f"{len(made)} already today" in told.stderr
    assert set(shop.listed()) == {f"{name} monthly" for name in made}
    assert f"{one['backup']}\tmonthly\t{taken:%Y-%m-%d %H:%M:%S}" in shop("backup", "--list").stdout


def test_two_backups_at_once_make_one(shop):
    """Both say the same; whoever is second finds what the first made."""
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: shop.json("backup"), range(2))
    names = [[(one["table"], one["backup"], one["rows"]) for one in found] for found in (first, second)]
    assert names[0] == names[1]
    assert len(shop.listed()) == len(first)


def test_what_is_restored_is_what_was_there_and_can_be_undone(shop):
    """Rows return; table, other tables and the state in between are kept."""
    before, about = shop.listings(), shop.about()
    shop("backup")
    shop.write("DELETE FROM currency_listings WHERE id > 1")
    shop.write("UPDATE currency SET buy_price = 2 WHERE TRUE")
    broken, there = shop.listings(), shop.tables()
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    done = shop("restore", "--table", "currency_listings", "--at", today, "--yes")
    assert "took the place of 2\n" in done.stdout
    assert shop.listings() == before
    assert shop.about() == about
    assert shop.query("SELECT buy_price FROM currency") == [{"buy_price": 2}]
    assert shop.tables() == there
    undo = shop.listed()["currency_listings undo"]
    assert undo["rows"] == 2
    assert timedelta(days=6) < datetime.fromisoformat(undo["expires"]) - datetime.now(UTC) < timedelta(days=8)
    # The very words that were printed.
    words = done.stderr.splitlines()[-1].partition("tcdatalogger ")[2].split()
    assert words[-1] in undo["backup"]
    shop(*words, "--yes")
    assert shop.listings() == broken
    # A time still means what was backed up, not what a restore kept.
    done = shop("restore", "--table", "currency_listings", "--at", today, "--dry-run")
    assert "5 rows of " in done.stdout


def test_tables_are_restored_together(shop):
    """Two tables, one change; as JSON for a script, with what undoes each."""
    shop("backup")
    shop.write("DELETE FROM currency_listings WHERE TRUE")
    shop.write("DELETE FROM currency WHERE TRUE")
    done = shop.json(
        "restore", "--table", "currency", "--table", "currency_listings", "--at", "2099-01-01", "--yes"
    )
    assert [(one["table"], one["rows"], one["rows_before"]) for one in done] == [
        ("currency", 1, 0),
        ("currency_listings", 5, 0),
    ]
    assert all(one["undo"] for one in done)
    assert len(shop.listings()) == 5


def test_beside_and_dry_run_change_nothing_that_is_there(shop):
    """--to makes one new table; --dry-run counts and leaves nothing at all."""
    shop("backup")
    shop.write("DELETE FROM currency_listings WHERE id > 1")
    there = shop.tables()
    done = shop("restore", "--table", "currency_listings", "--at", "2099-01-01", "--dry-run")
    assert "5 rows of " in done.stdout
    assert "would take the place of 2; nothing was changed" in done.stdout
    assert (len(shop.listings()), shop.tables()) == (2, there)
    done = shop("restore", "--table", "currency_listings", "--at", "2099-01-01", "--to", "saved")
    assert "are in the new table saved" in done.stdout
    assert (len(shop.listings()), shop.tables()) == (2, there | {"saved"})
    assert shop.query("SELECT SUM(quantity) AS q FROM saved") == [{"q": 1000}]
    again = shop("restore", "--table", "currency_listings", "--at", "2099-01-01", "--to", "saved", code=1)
    assert "there is a table saved already" in again.stderr
    assert not [name for name in shop.listed() if name.endswith("undo")]


def test_a_wrong_call_says_what_is_right(shop):
    """No backup yet, a table or time that is not there, and nobody to ask."""
    nothing = ["restore", "--table", "currency", "--at", "2026-11-20"]
    assert "currency has no backup" in shop(*nothing, code=1).stderr
    assert "no backups yet" in shop("backup", "--list").stderr
    shop("backup")
    done = shop("restore", "--table", "curency", "--at", "2099-01-01", code=1)
    assert "there is no table 'curency', and no backup of one" in done.stderr
    assert "did you mean currency?" in done.stderr
    done = shop("restore", "--table", "currency", "--at", "2020-01-01T10:15", code=1)
    assert "currency has no backup at or before 2020-01-01 10:15:00 UTC; its first is " in done.stderr
    done = shop("restore", "--table", "currency", "--from", "20261120_month", code=1)
    assert "currency has no backup named '20261120_month'" in done.stderr
    assert "say --yes" in shop("restore", "--table", "currency", "--at", "2099-01-01", code=2).stderr
    assert "no time" in shop("restore", "--table", "currency", "--at", "soon", code=2).stderr
    assert "--at TIME, or --from NAME" in shop("restore", "--table", "currency", code=2).stderr
    both = ["--table", "currency", "--table", "currency_listings", "--at", "2099-01-01", "--to", "x"]
    assert "--to names one new table" in shop("restore", *both, code=2).stderr


def test_rows_that_do_not_fit_are_not_restored(shop):
    """A column of then that is gone now is named; beside, the rows can be had."""
    shop("backup")
    shop.write("ALTER TABLE currency_listings DROP COLUMN quantity")
    words = ["restore", "--table", "currency_listings", "--at", "2099-01-01"]
    done = shop(*words, "--yes", code=1)
    assert "currency_listings is not what it was: the column quantity is not there any more" in done.stderr
    assert "next: restore it beside, with --to NAME" in done.stderr
    assert "currency_listings undo" not in shop.listed()
    shop(*words, "--to", "saved")
    assert shop.query("SELECT SUM(quantity) AS q FROM saved") == [{"q": 1000}]


def test_a_terminal_is_asked(file):
    """It shows what there is and what there would be; Ctrl-C changes nothing."""
    file("backup")
    file.write("DELETE FROM currency_listings WHERE id > 1")
    seen = on_terminal(
        [BIN / "tcdatalogger", "restore", "--table", "currency_listings", "--at", "2099-01-01"],
        env=file.env, ctrl_c_after="Put it back? [y/N]", ctrl_c_again=3,
    )  # fmt: skip
    assert "currency_listings: 2 rows now, 5 in 2" in seen.text
    assert "stopped; what was not finished was not written" in seen.text
    assert (seen.code, len(file.listings())) == (130, 2)


def test_a_full_disk_leaves_no_half_of_a_copy(file):
    """The database is as it was, nothing is left of the copy, and it says what to do."""
    file.write("INSERT INTO currency_listings SELECT 'r', 'a', now(), n, 1, 1, hash(n) % 1000000 "
               "FROM range(200000) AS r(n)")  # fmt: skip
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f 500; exec {BIN / 'tcdatalogger'} backup"],
        env={name: value for name, value in file.env.items() if name not in unmeasured()},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "no space left for" in done.stderr
    assert "nothing is left of what was begun" in done.stderr
    assert "next: free some space" in done.stderr
    assert list((file.folder / "w.duckdb.backups").iterdir()) == []
    assert len(file.listings()) == 200_005


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_backup_that_is_stopped_leaves_no_half_of_a_copy(file, number):
    """Stopped, nothing is left; killed, what is left is no backup, and a later one removes it."""
    file.write("CREATE TABLE large AS SELECT n, md5(n::VARCHAR) AS text FROM range(4000000) AS r(n)")
    folder = file.folder / "w.duckdb.backups"
    env = {name: value for name, value in file.env.items() if name not in unmeasured()}
    with Process([BIN / "tcdatalogger", "backup"], folder=file.folder / "process", env=env) as process:
        until(lambda: folder.exists() and list(folder.iterdir()), what="a copy has begun", pause=0.002)
        os.kill(process.group, number)
        code = process.wait()
    assert code == (130 if number == signal.SIGINT else -signal.SIGKILL)
    left = list(folder.iterdir())
    assert all(".part" in one.name for one in left)
    assert not left or number == signal.SIGKILL
    assert "no backups yet" in file("backup", "--list").stderr
    for one in left:
        os.utime(one, (0, 0))
    assert "large\t4000000\t" in file("backup").stdout
    assert [one.suffix for one in folder.iterdir()] == [".duckdb"]


def test_a_snapshot_is_asked_for_with_its_end(cloud):
    """The copy job says SNAPSHOT and when it expires; a restore's table goes by itself."""
    cloud("backup")
    name = next(one["backup"] for one in cloud.listed().values() if one["table"] == "currency")
    asked = cloud.copies()[name]
    assert asked["operationType"] == "SNAPSHOT"
    end = datetime.fromisoformat(asked["destinationExpirationTime"])
    assert timedelta(days=88) < end - datetime.now(UTC) < timedelta(days=93)
    cloud("restore", "--table", "currency", "--from", name, "--yes")
    [(beside, restored)] = [one for one in cloud.copies().items() if "__restored_" in one[0]]
    assert (restored["operationType"], restored["writeDisposition"]) == ("RESTORE", "WRITE_EMPTY")
    assert restored["sourceTables"][0]["tableId"] == name
    soon = datetime.fromisoformat(restored["destinationExpirationTime"]) - datetime.now(UTC)
    assert timedelta(hours=23) < soon < timedelta(hours=25)
    assert beside not in cloud.tables()


def test_only_declared_tables_are_in_a_backup(cloud):
    """No view, no staging table, no snapshot of a snapshot, nobody else's table."""
    cloud.write("CREATE TABLE stage_currency_1 AS SELECT 1 AS id")
    cloud.write("CREATE TABLE mine AS SELECT 1 AS id")
    cloud.write("CREATE VIEW seen AS SELECT * FROM currency")
    wanted = {"currency", "currency_listings", "runs_log"}
    assert {one["table"] for one in cloud.json("backup")} == wanted
    now = datetime.now(UTC) + timedelta(days=1)
    assert {one.table for one in cloud.backups().take(now)} == wanted


def test_days_make_snapshots_of_their_own(cloud):
    """The second day's is daily or weekly, and asks for an end of its own."""
    now = datetime(2027, 3, 1, 3, tzinfo=UTC)
    kinds = {}
    for day in (0, 1, 7, 8):
        [one] = [s for s in cloud.backups().take(now + timedelta(days=day)) if s.table == "currency"]
        asked = cloud.copies()[one.name]["destinationExpirationTime"]
        kinds[one.name] = datetime.fromisoformat(asked) - now - timedelta(days=day)
    assert kinds == {
        "currency__20270301_monthly": timedelta(days=92),
        "currency__20270302_daily": timedelta(days=7),
        "currency__20270308_weekly": timedelta(days=28),
        "currency__20270309_daily": timedelta(days=7),
    }


def test_a_snapshot_that_somebody_deleted_is_made_again(cloud):
    """Its job is done and cannot be done twice; the next one is."""
    name = next(one["backup"] for one in cloud.json("backup") if one["table"] == "currency")
    cloud.dataset.client.delete_table(cloud.whole(name))
    made = {one["table"]: one for one in cloud.json("backup")}
    assert (made["currency"]["backup"], made["currency"]["new"]) == (name, True)
    assert not made["currency_listings"]["new"]


def test_rows_that_came_meanwhile_are_not_lost(cloud):
    """Between the undo and the change a row is written: all is left as it is, that row too."""
    backups = cloud.backups()
    [taken] = [one for one in backups.take(datetime.now(UTC)) if one.table == "currency"]
    place, now = cloud.dataset.warehouse.place, datetime.now(UTC)

    def keep(table: str, when: datetime) -> str:
        name = backups._keep(table, when)
        cloud.write(ROW.format(table="currency", columns="name", day=11, values="'New'"))
        return name

    restore = Restore(place, Jobs(place), now)
    with pytest.raises(RetrySoon, match="currency was written meanwhile; nothing was changed"):
        restore.instead([taken], keep, dry_run=False)
    assert cloud.query("SELECT name FROM currency ORDER BY 1") == [{"name": "New"}, {"name": "Points"}]
    assert "__restored_" not in " ".join(cloud.tables())


def test_a_table_that_is_gone_is_made_first(cloud):
    """A snapshot knows nothing of labels and permissions: the table is made as declared, then filled."""
    backups = cloud.backups()
    [taken] = [one for one in backups.take(datetime.now(UTC)) if one.table == "currency"]
    cloud.dataset.client.delete_table(cloud.whole("currency"))
    with pytest.raises(FixConfiguration, match="there is no table currency to restore into → make it"):
        backups.restore([taken], datetime.now(UTC))
    cloud.make("currency")
    [done] = backups.restore([taken], datetime.now(UTC))
    assert (done.rows_before, done.rows) == (0, 1)
