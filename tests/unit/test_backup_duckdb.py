"""Copies of a DuckDB file: whole or not there, kept for their time, and put back as they were."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from shared.backup.duckdb import DuckDBBackups
from shared.errors import BrokenContract, FixConfiguration, WarehouseBusy

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)


class Place:
    """A database with a table, a table of the warehouse's own and a view."""

    def __init__(self, folder):
        self.file = folder / "w.duckdb"
        self.folder = folder / "w.duckdb.backups"
        self.told = []
        self.backups = DuckDBBackups(self.file, wait=1, told=self.told.append)
        self.write(
            "CREATE TABLE things (id BIGINT NOT NULL, name VARCHAR, raw JSON, seen_at TIMESTAMPTZ)",
            "COMMENT ON TABLE things IS 'Things, it''s said.'",
            "COMMENT ON COLUMN things.id IS 'Which.'",
            "CREATE TABLE _followed (endpoint VARCHAR NOT NULL)",
            "CREATE VIEW many AS SELECT count(*) AS n FROM things",
            "INSERT INTO things SELECT n, 'name ' || n, '{\"n\": 1}', TIMESTAMPTZ '2026-11-20 00:00:00+00' "
            "FROM range(1000) AS r(n)",
        )

    def write(self, *statements):
        with duckdb.connect(str(self.file)) as connection:
            for statement in statements:
                connection.execute(statement)

    def read(self, sql, file=None):
        with duckdb.connect(str(file or self.file), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def all(self, table="things", file=None):
        return self.read(f"SELECT * EXCLUDE (seen_at), epoch(seen_at) FROM {table} ORDER BY ALL", file)

    def made(self):
        return sorted(file.name for file in self.folder.iterdir()) if self.folder.exists() else []


@pytest.fixture(name="place")
def _place(tmp_path):
    return Place(tmp_path)


def about(connection_file):
    """Return what a database is: columns, comments, NOT NULL, views."""
    columns = (
        "SELECT table_name, column_name, data_type, is_nullable, comment FROM duckdb_columns() "
        "WHERE NOT internal AND table_name <> '_backup' ORDER BY ALL"
    )
    tables = "SELECT table_name, comment FROM duckdb_tables() WHERE table_name <> '_backup' ORDER BY ALL"
    views = "SELECT view_name, sql FROM duckdb_views() WHERE NOT internal ORDER BY ALL"
    with duckdb.connect(str(connection_file), read_only=True) as connection:
        return [connection.execute(sql).fetchall() for sql in (columns, tables, views)]


def test_a_copy_is_the_database(place):
    """Rows, types, NOT NULL, comments and views; a table of the warehouse's own is in it and not shown."""
    [made] = place.backups.take(NOW)
    assert (made.table, made.rows, made.kind, made.taken_at, made.new) == (
        "things",
        1000,
        "monthly",
        NOW,
        True,
    )
    copy = place.folder / f"{made.name}.duckdb"
    assert place.made() == ["20261120_monthly.duckdb"]
    assert about(copy) == about(place.file)
    assert place.all(file=copy) == place.all()
    assert place.read("FROM many", copy) == [(1000,)]


def test_a_day_has_one_copy(place):
    """A second backup of a day is the first: nothing is made, and it says so."""
    [first] = place.backups.take(NOW)
    place.write("DELETE FROM things")
    [again] = place.backups.take(NOW + timedelta(hours=12))
    assert (again.name, again.rows, again.taken_at, again.new) == (first.name, 1000, NOW, False)
    assert place.backups.snapshots() == [again]


def test_what_a_killed_writer_left_in_the_log_is_in_the_copy(place):
    """Rows that were committed and stand only in the write-ahead log are rows."""
    crash = (
        "import duckdb, os, sys\nc = duckdb.connect(sys.argv[1])\n"
        "c.execute(\"SET checkpoint_threshold = '1GB'\")\n"
        "c.execute('INSERT INTO things SELECT -1, NULL, NULL, NULL')\nos._exit(1)"
    )
    subprocess.run([sys.executable, "-c", crash, str(place.file)], check=False, timeout=30)
    assert place.file.with_name("w.duckdb.wal").exists()
    assert [made.rows for made in place.backups.take(NOW)] == [1001]


def test_copies_go_when_their_time_is_over_and_nothing_else_does(place):
    """Of months of backups those of 7 days, 4 weeks and 3 months are left, and what is not ours."""
    place.folder.mkdir()
    for name in ("mine.duckdb", "20200101_mine.duckdb", "20200101_daily.txt"):
        (place.folder / name).touch()
    for day in (112, 111, 98, 81, 80, 70, 51, 50, *range(29, -1, -1)):
        place.backups.take(NOW - timedelta(days=day))
    others = {"mine.duckdb", "20200101_mine.duckdb", "20200101_daily.txt"}
    assert others <= set(place.made())
    assert sorted(set(place.made()) - others) == [
        "20260901_monthly.duckdb", "20261001_monthly.duckdb", "20261026_weekly.duckdb",
        "20261101_monthly.duckdb", "20261102_weekly.duckdb", "20261109_weekly.duckdb",
        *(f"202611{day}_daily.duckdb" for day in (14, 15)), "20261116_weekly.duckdb",
        *(f"202611{day}_daily.duckdb" for day in (17, 18, 19, 20)),
    ]  # fmt: skip


def test_a_copy_that_cannot_be_read_holds_up_no_other(place):
    """It is named and left out; a broken copy of today is made again."""
    place.backups.take(NOW - timedelta(days=1))
    (place.folder / "20261118_daily.duckdb").write_bytes(b"no database" * 1000)
    duckdb.connect(str(place.folder / "20261117_daily.duckdb")).close()
    assert [one.name for one in place.backups.snapshots()] == ["20261119_monthly"]
    assert "20261117_daily.duckdb does not say what it has" in place.told[0]
    assert "20261118_daily.duckdb is not a database this DuckDB can read" in place.told[1]
    (place.folder / "20261120_daily.duckdb").write_bytes(b"")
    assert [made.new for made in place.backups.take(NOW)] == [True]
    assert place.read("FROM many", place.folder / "20261120_daily.duckdb") == [(1000,)]


def test_what_is_put_back_is_what_was_there_and_can_be_undone(place):
    """Rows return, the table stays what it is, and the undo has what was there in between."""
    before, shape = place.all(), about(place.file)
    [made] = place.backups.take(NOW)
    place.write("UPDATE things SET name = 'broken' WHERE id < 10", "DELETE FROM things WHERE id > 500")
    broken = place.all()
    [done] = place.backups.restore([made], NOW)
    assert (done.table, done.into, done.rows, done.rows_before) == ("things", "things", 1000, 501)
    assert place.all() == before
    assert about(place.file) == shape
    [undo] = [one for one in place.backups.snapshots() if one.kind == "undo"]
    assert (undo.name, undo.table, undo.rows) == (done.undo, "things", 501)
    place.backups.restore([undo], NOW + timedelta(seconds=1))
    assert place.all() == broken
    assert about(place.file) == shape


def test_tables_are_put_back_together_or_not_at_all(place):
    """One that does not fit leaves the other as it was, and no undo for what was not done."""
    place.write("CREATE TABLE others AS SELECT 1 AS id")
    made = place.backups.take(NOW)
    place.write("DELETE FROM things", "DELETE FROM others", "ALTER TABLE things DROP COLUMN name")
    with pytest.raises(
        FixConfiguration, match="things is not what it was: the column name is not there any more"
    ):
        place.backups.restore(made, NOW)
    assert place.read("SELECT (SELECT count(*) FROM things), (SELECT count(*) FROM others)") == [(0, 0)]
    assert place.made() == ["20261120_monthly.duckdb"]


def test_a_column_that_came_later_is_null(place):
    """Rows of an older copy fit into the table as it is declared now."""
    [made] = place.backups.take(NOW)
    place.write("ALTER TABLE things ADD COLUMN extra VARCHAR", "UPDATE things SET extra = 'x'")
    place.backups.restore([made], NOW)
    assert place.read("SELECT count(*), count(extra) FROM things") == [(1000, 0)]


def test_a_table_that_is_gone_is_not_made_up(place):
    """The tables are made as declared first; beside, the rows can be had at once."""
    [made] = place.backups.take(NOW)
    place.write("DROP VIEW many", "DROP TABLE things")
    with pytest.raises(
        FixConfiguration, match="no table things to restore into → make it: `tcdatalogger tables"
    ):
        place.backups.restore([made], NOW)
    place.backups.restore([made], NOW, to="saved")
    assert place.read("SELECT count(*) FROM saved") == [(1000,)]


def test_a_copy_that_lost_rows_is_not_put_back(place):
    """What a copy has is counted against what it had; the table keeps its rows."""
    [made] = place.backups.take(NOW)
    with duckdb.connect(str(place.folder / f"{made.name}.duckdb")) as connection:
        connection.execute("DELETE FROM things WHERE id = 7")
    with pytest.raises(BrokenContract, match="20261120_monthly had 1000 rows of things and has 999 now"):
        place.backups.restore([made], NOW)
    assert len(place.all()) == 1000
    assert place.made() == ["20261120_monthly.duckdb"]


def test_a_dry_run_leaves_nothing_behind(place):
    """It counts what it would do; the database is the same file as before, row for row."""
    [made] = place.backups.take(NOW)
    place.write("DELETE FROM things WHERE id > 500")
    before = about(place.file)
    [done] = place.backups.restore([made], NOW, dry_run=True)
    assert (done.rows, done.rows_before, done.undo) == (1000, 501, None)
    assert (about(place.file), len(place.all()), place.made()) == (before, 501, ["20261120_monthly.duckdb"])


def test_beside_takes_no_name_that_is_taken(place):
    """Neither a table's nor a view's."""
    [made] = place.backups.take(NOW)
    for name in ("things", "many"):
        with pytest.raises(FixConfiguration, match=f"there is a table {name} already"):
            place.backups.restore([made], NOW, to=name)


def test_two_restores_in_one_second_keep_both_undos(place):
    """The second is refused rather than the first one's undo written over."""
    [made] = place.backups.take(NOW)
    place.backups.restore([made], NOW)
    with pytest.raises(FixConfiguration, match="something was restored this very second"):
        place.backups.restore([made], NOW)


def test_without_a_database_there_is_nothing_to_back_up(tmp_path):
    """It says how to begin, and makes no folder."""
    with pytest.raises(FixConfiguration, match="there is no database at"):
        DuckDBBackups(tmp_path / "none.duckdb").take(NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_held_is_waited_for_in_bounds(place):
    """The other program keeps its database, and nothing is left of the backup."""
    hold = "import duckdb, sys\nc = duckdb.connect(sys.argv[1])\nprint('held', flush=True)\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(place.file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(WarehouseBusy, match="was held by another program for more than 1 s"):
            place.backups.take(NOW)
        holder.stdin.close()
    assert place.made() == []
