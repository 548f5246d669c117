"""What every warehouse promises, on the real thing."""

from __future__ import annotations

import multiprocessing
import threading
from datetime import UTC, date, datetime, timedelta

import duckdb
import msgspec
import pytest
from support.tables import FAMILY, HEAD, T0, batch, endpoint, family
from support.writing import ids, part, run

from shared.endpoint_file import find_endpoints, load_endpoint
from shared.endpoint_rules import RESERVED_TABLES, table_columns
from shared.errors import FixConfiguration, ReplaceRefused, StorageFailed, WarehouseBusy
from shared.ledger import LEDGER, Attempt
from shared.warehouse import open_warehouse
from shared.warehouse.duckdb_schema import DUCKDB_TYPES
from shared.warehouse.views import VIEWS


@pytest.fixture(name="duckdb_file")
def _duckdb_file(tmp_path):
    return open_warehouse(f"duckdb:{tmp_path / 'deep' / 'w.duckdb'}", wait=20)


@pytest.fixture(name="warehouse", params=["duckdb", "bigquery"])
def _warehouse(request):
    """Give each kind of warehouse in turn: the same input leaves the same rows and gives the same answers."""
    return request.getfixturevalue("duckdb_file" if request.param == "duckdb" else "dataset")


def test_tables_columns_types_and_comments_come_from_the_yaml(duckdb_file, tmp_path):
    """Every declared table has the declared columns, in order, with type, NOT NULL and comment."""
    for file in find_endpoints().values():
        declared = load_endpoint(file)
        with duckdb_file.begin(declared, "r", "default") as writer:
            writer.commit()
        for table in declared.tables:
            found = duckdb_file.query(
                "SELECT column_name, data_type, is_nullable, comment FROM duckdb_columns() "
                "WHERE table_name = ? ORDER BY column_index",
                [table],
            ).to_pylist()
            wanted = [
                {
                    "column_name": name,
                    "data_type": DUCKDB_TYPES[column.type],
                    "is_nullable": not column.required,
                    "comment": column.description or None,
                }
                for name, column in table_columns(declared, table).items()
            ]
            assert found == wanted
    comments = duckdb_file.query("SELECT table_name, comment FROM duckdb_tables()").to_pylist()
    assert {"table_name": "runs", "comment": LEDGER["runs"].description} in comments


def test_every_type_survives_the_way_in_and_out(warehouse):
    """A value comes out as it went in, to the last digit, and NULL stays NULL."""
    declared = family("append")
    whole = {
        "id": 2**63 - 1,
        "name": "naïve ✓ 'quoted' \x00 end",
        "weight": 80.5,
        "good": False,
        "made_on": date(2026, 2, 28),
        "more": '{"a":[1,null]}',
    }
    run(warehouse, declared, [whole, {"id": -(2**63)}], name="r", at=0)
    columns = ", ".join(("server_timestamp", *whole))
    rows = warehouse.query(f"SELECT {columns} FROM things ORDER BY id DESC").to_pylist()
    assert rows[0] == {"server_timestamp": T0, **whole}
    assert [v for k, v in rows[1].items() if k not in {"id", "server_timestamp"}] == [None] * 5


def test_append_adds_and_a_repeated_run_does_not(warehouse):
    """The same run written again changes nothing; another run adds its rows."""
    declared = family("append")
    assert run(warehouse, declared, [{"id": 1}], [part(1, 0)], name="a", at=0).rows == {
        "things": 1,
        "parts": 1,
    }
    assert run(warehouse, declared, [{"id": 1}], [part(1, 0)], name="a", at=5) is None
    run(warehouse, declared, [{"id": 1}], name="b", at=15)
    assert ids(warehouse) == [1, 1]
    assert ids(warehouse, "parts", "thing_id") == [1]


def test_nothing_is_true_before_the_commit(duckdb_file):
    """A writer left without a commit leaves rows and ledger as they were."""
    declared = family("append")
    run(duckdb_file, declared, [{"id": 1}], name="a", at=0)
    run(duckdb_file, declared, [{"id": 2}], name="b", at=1, commit=False)
    assert ids(duckdb_file) == [1]
    assert ids(duckdb_file, "runs", "run_id") == ["a"]


def test_merge_updates_inserts_and_takes_vanished_children_away(warehouse):
    """The newest state of a parent and exactly its children stay; other parents are untouched."""
    declared = family("merge")
    run(warehouse, declared, [{"id": 1, "name": "old"}, {"id": 2}],
        [part(1, 0), part(1, 1), part(2, 0)], name="a", at=0)  # fmt: skip
    written = run(warehouse, declared, [{"id": 1, "name": "new"}, {"id": 3}],
                  [part(1, 0, "q")], name="b", at=15)  # fmt: skip
    assert written.rows == {"things": 2, "parts": 1}
    things = warehouse.query("SELECT id, name, _run_id FROM things ORDER BY id").to_pylist()
    assert things == [
        {"id": 1, "name": "new", "_run_id": "b"},
        {"id": 2, "name": None, "_run_id": "a"},
        {"id": 3, "name": None, "_run_id": "b"},
    ]
    parts = warehouse.query("SELECT thing_id, part_index, part FROM parts ORDER BY thing_id").to_pylist()
    assert parts == [part(1, 0, "q"), part(2, 0)]


def test_merge_never_puts_an_older_state_back(warehouse):
    """A run read earlier, written later, changes only what no newer run has written."""
    declared = family("merge")
    run(warehouse, declared, [{"id": 1, "name": "new"}], [part(1, 0, "new")], name="b", at=15)
    written = run(warehouse, declared, [{"id": 1, "name": "old"}, {"id": 2, "name": "old"}],
                  [part(1, 0, "old"), part(1, 1, "old"), part(2, 0, "old")], name="a", at=0)  # fmt: skip
    assert written.rows == {"things": 1, "parts": 1}
    assert not written.superseded
    rows = warehouse.query("SELECT id, name FROM things ORDER BY id").to_pylist()
    assert rows == [{"id": 1, "name": "new"}, {"id": 2, "name": "old"}]
    parts = warehouse.query("SELECT thing_id, part FROM parts ORDER BY thing_id").to_pylist()
    assert parts == [{"thing_id": 1, "part": "new"}, {"thing_id": 2, "part": "old"}]


def test_merge_of_nothing_but_older_rows_is_superseded(warehouse):
    """A run whose every row is older writes nothing and says so."""
    declared = family("merge")
    run(warehouse, declared, [{"id": 1}], [part(1, 0)], name="b", at=15)
    written = run(warehouse, declared, [{"id": 1}], [], name="a", at=0)
    assert written.superseded
    assert written.rows == {"things": 0, "parts": 0}
    assert ids(warehouse, "parts", "thing_id") == [1]


def test_merge_keeps_accounts_apart(warehouse):
    """Two accounts may have the same key; neither touches the other's rows."""
    declared = family("merge")
    run(warehouse, declared, [{"id": 1}], [part(1, 0)], name="a", at=0, account="north")
    run(warehouse, declared, [{"id": 1}], [], name="b", at=1, account="south")
    assert ids(warehouse) == [1, 1]
    assert warehouse.query("SELECT _account FROM parts").to_pylist() == [{"_account": "north"}]


def test_replace_leaves_exactly_the_last_run_of_its_account(warehouse):
    """Rows that are gone are gone; another account's stay."""
    declared = family("replace", parts="allow_empty: true")
    run(warehouse, declared, [{"id": 9}], name="n", at=0, account="north")
    run(warehouse, declared, [{"id": 1}, {"id": 2}], [part(1, 0)], name="a", at=0)
    run(warehouse, declared, [{"id": 2}], [], name="b", at=15)
    assert ids(warehouse) == [2, 9]
    assert ids(warehouse, "parts", "thing_id") == []


@pytest.mark.parametrize(("things", "parts"), [([], [part(1, 0)]), ([{"id": 1}], [])])
def test_replace_with_nothing_is_refused(warehouse, things, parts):
    """A table that would be left empty stays as it was, unless it is allowed to be empty."""
    declared = family("replace")
    run(warehouse, declared, [{"id": 1}], [part(1, 0)], name="a", at=0)
    with pytest.raises(ReplaceRefused, match=r"replaced with nothing.*allow_empty"):
        run(warehouse, declared, things, parts, name="b", at=15)
    assert ids(warehouse) == [1]
    assert ids(warehouse, "parts", "thing_id") == [1]


@pytest.mark.parametrize(("left", "allowed"), [(2, True), (1, False)])
def test_a_replace_that_takes_too_many_rows_is_refused(warehouse, left, allowed):
    """Of four rows more than half would vanish: the table stays as it was, and it says how to allow it."""
    declared = family("replace", parts="allow_empty: true")
    run(warehouse, declared, [{"id": n} for n in range(4)], [part(1, 0)], name="a", at=0)
    if allowed:
        run(warehouse, declared, [{"id": n} for n in range(left)], name="b", at=15)
    else:
        with pytest.raises(ReplaceRefused, match=r"things would lose more of its rows.*max_shrink"):
            run(warehouse, declared, [{"id": n} for n in range(left)], name="b", at=15)
    assert ids(warehouse) == list(range(left if allowed else 4))
    assert ids(warehouse, "parts", "thing_id") == ([] if allowed else [1])


def test_an_older_replace_is_superseded(warehouse):
    """A replace read before the table's last one leaves it alone."""
    declared = family("replace", parts="allow_empty: true")
    run(warehouse, declared, [{"id": 2}], name="b", at=15)
    assert run(warehouse, declared, [{"id": 1}], name="a", at=0).superseded
    assert ids(warehouse) == [2]


def test_large_runs_spill_and_end_the_same(duckdb_file):
    """More rows than are kept in memory go through a temporary table to the same end."""
    declared = family("merge")
    text = "x" * 200
    with duckdb_file.begin(declared, "a", "default") as writer:
        for n in range(0, 150_000, 25_000):
            things = [{"id": i, "name": text} for i in range(n, n + 25_000)]
            writer.write("things", batch(declared, "things", things, run="a", at=0))
            writer.write("parts", batch(declared, "parts", [part(n, 0)], run="a", at=0))
        assert writer.finish().rows == {"things": 150_000, "parts": 6}
        writer.commit()
    counted = duckdb_file.query("SELECT count(*) n, count(DISTINCT id) ids, sum(id) total FROM things")
    assert counted.to_pylist() == [{"n": 150_000, "ids": 150_000, "total": sum(range(150_000))}]


def test_a_new_column_is_added_in_place(duckdb_file):
    """A column declared later is there from the next run on; older rows have NULL in it."""
    run(duckdb_file, family("append"), [{"id": 1}], name="a", at=0)
    wider = family("append", parts="description: Parts.")
    text = {"type": "STRING", "from": "colour", "description": "Its colour."}
    columns = {**wider.tables["things"].columns}
    columns["colour"] = msgspec.convert(text, type(columns["name"]))
    table = msgspec.structs.replace(wider.tables["things"], columns=columns)
    wider = msgspec.structs.replace(wider, tables={**wider.tables, "things": table})
    run(duckdb_file, wider, [{"id": 2, "colour": "red"}], name="b", at=15)
    rows = duckdb_file.query("SELECT id, colour FROM things ORDER BY id").to_pylist()
    assert rows == [{"id": 1, "colour": None}, {"id": 2, "colour": "red"}]


def test_a_retyped_column_is_refused(duckdb_file):
    """A column whose type changed in the YAML is named, and nothing is written."""
    run(duckdb_file, family("append"), [{"id": 1}], name="a", at=0)
    text = (HEAD + FAMILY % {"mode": "append", "parts": "description: P"}).replace(
        "weight: {type: FLOAT", "weight: {type: STRING"
    )
    with pytest.raises(FixConfiguration, match=r"things\.weight is DOUBLE .* STRING in endpoint\.yaml"):
        run(duckdb_file, endpoint(text), [{"id": 2}], name="b", at=15)
    assert ids(duckdb_file) == [1]


def _hold(path, ready, release):
    with duckdb.connect(path):
        ready.set()
        release.wait(20)


def test_processes_take_turns(duckdb_file, tmp_path):
    """A run waits while another process has the file open, and then goes on."""
    run(duckdb_file, family("append"), [{"id": 1}], name="a", at=0)
    context = multiprocessing.get_context("spawn")
    ready, release = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(str(duckdb_file.path), ready, release))
    other.start()
    try:
        assert ready.wait(20)
        timer = threading.Timer(0.5, release.set)
        timer.start()
        run(duckdb_file, family("append"), [{"id": 2}], name="b", at=15)
        timer.join()
    finally:
        release.set()
        other.join(20)
    assert ids(duckdb_file) == [1, 2]


def test_the_wait_for_another_process_is_bounded(duckdb_file):
    """When the other process stays, the error names it and what to do."""
    run(duckdb_file, family("append"), [{"id": 1}], name="a", at=0)
    context = multiprocessing.get_context("spawn")
    ready, release = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(str(duckdb_file.path), ready, release))
    other.start()
    try:
        assert ready.wait(20)
        hurried = open_warehouse(f"duckdb:{duckdb_file.path}", wait=0.3)
        with pytest.raises(WarehouseBusy, match=rf"process {other.pid} .*more than 0 s.*WAREHOUSE_WAIT"):
            run(hurried, family("append"), [{"id": 2}], name="b", at=15)
    finally:
        release.set()
        other.join(20)


def test_threads_of_one_process_take_turns(duckdb_file):
    """Ten runs at once in one process all end, and the same run only once."""
    declared = family("merge")
    results = []

    def work(n):
        results.append(run(duckdb_file, declared, [{"id": n % 5}], name=f"r{n % 5}", at=0))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(r is None for r in results) == [False] * 5 + [True] * 5
    assert ids(duckdb_file) == [0, 1, 2, 3, 4]


def test_a_query_cannot_write_and_says_what_is_wrong(duckdb_file, tmp_path):
    """Queries read only: no writing, no files; a mistake in the SQL is named."""
    with pytest.raises(FixConfiguration, match=r"no database at .* yet"):
        duckdb_file.query("SELECT 1")
    run(duckdb_file, family("append"), [{"id": 1}], name="a", at=0)
    for sql in ("DELETE FROM things", f"COPY things TO '{tmp_path}/x.csv'", "SELEC 1", "SELECT nothing"):
        with pytest.raises(FixConfiguration, match="the query failed"):
            duckdb_file.query(sql)
    with pytest.raises(FixConfiguration, match="the query failed"):
        duckdb_file.query("SELECT * FROM read_text('/etc/hostname')")
    assert ids(duckdb_file) == [1]


def test_a_file_that_is_no_database_is_named(tmp_path):
    """Pointing at something else says so, and leaves it as it is."""
    file = tmp_path / "notes.txt"
    file.write_text("not a database" * 1000)
    with pytest.raises((FixConfiguration, StorageFailed), match=r"notes\.txt"):
        run(open_warehouse(f"duckdb:{file}"), family("append"), [{"id": 1}], name="a", at=0)
    assert file.read_text() == "not a database" * 1000


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    """A file where the folder should be is named."""
    (tmp_path / "deep").write_text("")
    with pytest.raises(StorageFailed, match="deep cannot be made"):
        run(open_warehouse(f"duckdb:{tmp_path / 'deep' / 'w.duckdb'}"), family("append"), [], name="a", at=0)


def test_unknown_warehouses_are_refused():
    """A URL of no kind we know is named."""
    with pytest.raises(FixConfiguration, match="oracle:x"):
        open_warehouse("oracle:x")


def test_views_compare_runs(duckdb_file):
    """Rows and null shares of a run stand beside those of the run before; drift has first and last run."""
    start = datetime(2026, 11, 20, 10, tzinfo=UTC)
    runs, drift = [], []
    for n, (rows, share) in enumerate([(10, 0.5), (7, 0.25)]):
        attempt = Attempt(attempt=f"t{n}", endpoint="things", schema_version=1, outcome="ok",
                          started_at=start + timedelta(hours=n), rows={"things": rows})  # fmt: skip
        quality = f'{{"null_shares":{{"things":{{"name":{share}}}}},"warnings":{{}},"duplicates":{{}}}}'
        runs.append({**attempt.row(), "run_id": f"r{n}", "account": "default", "quality": quality})
        drift.append({**attempt.identity(), "run_id": f"r{n}", "request": "things", "path": "things[].x",
                      "type": "string", "seen_at": start + timedelta(hours=n)})  # fmt: skip
    duckdb_file.record({"runs": runs, "drift": drift})
    changes = duckdb_file.query(
        "SELECT run_id, table_name, row_count, previous_row_count FROM row_changes ORDER BY 1"
    )
    assert changes.to_pylist() == [
        {"run_id": "r0", "table_name": "things", "row_count": 10, "previous_row_count": None},
        {"run_id": "r1", "table_name": "things", "row_count": 7, "previous_row_count": 10},
    ]
    shares = duckdb_file.query(
        "SELECT run_id, column_name, share, previous_share FROM null_share_changes ORDER BY 1"
    )
    assert shares.to_pylist() == [
        {"run_id": "r0", "column_name": "name", "share": 0.5, "previous_share": None},
        {"run_id": "r1", "column_name": "name", "share": 0.25, "previous_share": 0.5},
    ]
    seen = duckdb_file.query("SELECT path, type, first_run, last_run, runs FROM drift_history").to_pylist()
    assert seen == [{"path": "things[].x", "type": "string", "first_run": "r0", "last_run": "r1", "runs": 2}]


def test_no_endpoint_can_take_a_name_of_the_ledger():
    """The names that are refused in endpoint.yaml are those that the ledger has."""
    assert set(RESERVED_TABLES) == {*LEDGER, *VIEWS}


def test_versions_are_written_when_they_change(duckdb_file):
    """One row per version of the tables, with the run that wrote it first; comments follow the YAML."""
    declared = family("append")
    for n, name in enumerate(("a", "b")):
        run(duckdb_file, declared, [{"id": n}], name=name, at=n)
    told = family("append", parts="description: Other words.")
    run(duckdb_file, told, [{"id": 3}], name="c", at=3)
    rows = duckdb_file.query(
        "SELECT version, run_id FROM schema_versions WHERE endpoint = 'things' ORDER BY seen_at"
    )
    assert rows.to_pylist() == [{"version": 1, "run_id": "a"}, {"version": 1, "run_id": "c"}]
    comment = duckdb_file.query("SELECT comment FROM duckdb_tables() WHERE table_name = 'parts'").to_pylist()
    assert comment == [{"comment": "Other words."}]


def test_a_table_that_was_dropped_is_made_again(duckdb_file):
    """Someone dropped a table by hand: the next run makes it and writes."""
    run(duckdb_file, family("append"), [{"id": 1}], name="a", at=0)
    with duckdb.connect(duckdb_file.path) as connection:
        connection.execute("DROP TABLE things")
    run(duckdb_file, family("append"), [{"id": 2}], name="b", at=1)
    assert ids(duckdb_file) == [2]
