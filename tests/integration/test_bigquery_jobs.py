"""BigQuery's jobs: which there are, what they say of themselves, and how a redelivery goes on from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from support.bigquery import Dataset
from support.bigquery_proxy import Fault, Proxy, ended, unheard
from support.tables import FAMILY, HEAD, endpoint, family
from support.writing import ids, part, run

from shared.errors import BrokenContract, FixConfiguration
from shared.warehouse.bigquery_jobs import explained_result

if TYPE_CHECKING:
    from shared.endpoint import Endpoint

APPLY = "tcdatalogger tables apply"


def parted(mode: str) -> Endpoint:
    """Return the family with its root parted by ``made_on``, which may be NULL."""
    declared = family(mode)
    table = msgspec.structs.replace(declared.tables["things"], partition="made_on")
    return msgspec.structs.replace(declared, tables={**declared.tables, "things": table})


def wider(mode: str) -> Endpoint:
    """Return the family with a column more."""
    declared = family(mode)
    columns = {**declared.tables["things"].columns}
    columns["colour"] = msgspec.convert({"type": "STRING", "from": "colour"}, type(columns["name"]))
    table = msgspec.structs.replace(declared.tables["things"], columns=columns)
    return msgspec.structs.replace(declared, tables={**declared.tables, "things": table})


@pytest.mark.parametrize(
    ("mode", "jobs"),
    [
        ("append", {"load": 2}),
        ("merge", {"load": 2, "query": 1}),
        ("replace", {"load": 2, "copy": 2, "query": 1}),
    ],
)
def test_a_run_asks_for_little_and_a_redelivery_for_the_same(dataset, mode, jobs):
    """One load job a table, no query to append, one insertAll per ledger table; again: the same ids."""
    dataset.prepare(family(mode))
    submitted = []
    for repeated in (False, True):
        with Proxy(dataset.host) as proxy:
            place = dataset.through(proxy.host)
            written = run(place, family(mode), [{"id": 1}], [part(1, 0)], name="r/1", at=0)
            assert (written is None) == repeated
            counted = {kind: len(proxy.kinds(kind)) for kind in ("load", "copy", "query")}
            assert {kind: n for kind, n in counted.items() if n} == jobs
            # Whether the earlier delivery could record what it did is asked only of a redelivery.
            assert len(proxy.kinds("quick query")) == repeated
            assert [asked.table for asked in proxy.kinds("insert rows")] == [
                "schema_versions_log",
                "runs_log",
            ]
            assert len(proxy.kinds("get dataset")) == 1
            if not repeated:
                # A staging table is made and removed; a transaction's children are listed: nothing else.
                staged = 0 if mode == "append" else 2
                others = [asked for asked in proxy.asked if asked.kind != "get job"]
                assert len(others) == sum(jobs.values()) + 3 + 2 * staged + (staged > 0)
                for asked in proxy.kinds("query"):
                    # One job, done when it is committed: a reader sees all of it or nothing.
                    statements = [one.strip() for one in asked.sql.split(";") if one.strip()]
                    assert statements[0] == "BEGIN TRANSACTION"
                    assert statements[-1] == "COMMIT TRANSACTION"
                    assert asked.sql.count("TRANSACTION") == 2
            submitted.append([asked.job_id for asked in proxy.submitted])
            for asked in proxy.submitted:
                assert asked.body["jobReference"]["location"] == "US"
                configuration = asked.body["configuration"]
                assert configuration["labels"] == {
                    "endpoint": "things", "run_id": "r_1", "schema_version": "1",
                }  # fmt: skip
                if asked.kind != "copy":
                    assert configuration["jobTimeoutMs"] == "300000"
                if asked.kind == "load":
                    assert configuration["load"]["createDisposition"] == "CREATE_NEVER"
                    assert configuration["load"]["writeDisposition"] == "WRITE_APPEND"
    first, second = submitted
    assert sorted(first) == sorted(second)
    assert len(set(first)) == len(first)
    assert ids(dataset) == [1]
    assert dataset.staged() == []


def test_runs_of_the_same_name_in_two_datasets_are_two(dataset):
    """Job ids are the project's: another dataset's run of the same name is another's work."""
    other = Dataset(dataset.host, project=dataset.project)
    try:
        for place in (dataset, other):
            assert run(place, family("append"), [{"id": 1}], name="same", at=0) is not None
            assert ids(place) == [1]
    finally:
        other.drop()


@pytest.mark.parametrize("mode", ["append", "merge"])
def test_a_job_that_an_earlier_delivery_saw_fail_is_given_again_under_the_next_id(dataset, mode):
    """What failed for good fails the run; delivered again, the next number is used, and no id twice."""
    declared = family(mode)
    dataset.prepare(declared)
    with Proxy(dataset.host, Fault("load", ended("invalid", "no such luck"))) as proxy:
        place = dataset.through(proxy.host)
        with pytest.raises(BrokenContract, match="no such luck"):
            run(place, declared, [{"id": 1}], name="a", at=0)
        assert ids(dataset) == []
        assert run(place, declared, [{"id": 1}], name="a", at=0).rows == {"things": 1, "parts": 0}
        taken = [asked.job_id for asked in proxy.kinds("load") if asked.status == 200]
        assert [name[-2:] for name in taken] == ["-0", "-1"]
        assert taken[0][:-2] == taken[1][:-2]
    assert ids(dataset) == [1]


@pytest.mark.parametrize("mode", ["merge", "replace"])
def test_a_staging_table_that_is_gone_is_loaded_again(dataset, mode):
    """A run that died before its transaction goes on a day later, when its staging table has expired."""
    declared = family(mode)
    dataset.prepare(declared)
    with Proxy(dataset.host, Fault("query", ended("stopped", "the machine went away"))) as proxy:
        with pytest.raises(BrokenContract, match="the machine went away"):
            run(dataset.through(proxy.host), declared, [{"id": 1}], [part(1, 0)], name="a", at=0)
        for name in dataset.staged():
            dataset.client.delete_table(dataset.warehouse.place.table(name))
        place = dataset.through(proxy.host)
        assert run(place, declared, [{"id": 1}], [part(1, 0)], name="a", at=0).rows == {
            "things": 1,
            "parts": 1,
        }
    assert ids(dataset) == [1]
    assert ids(dataset, "parts", "thing_id") == [1]
    assert dataset.staged() == []


def test_a_merge_reads_only_the_partitions_of_its_rows_and_finds_those_that_moved_from_or_to_null(dataset):
    """The transaction says which days it reads; a row whose day was, or becomes, NULL is not doubled."""
    declared = parted("merge")
    dataset.prepare(declared)
    first = [{"id": 1, "made_on": "2026-11-01"}, {"id": 2}, {"id": 3, "made_on": "2020-01-01"}]
    run(dataset, declared, dated(first), [part(n, 0) for n in (1, 2, 3)], name="a", at=0)
    with Proxy(dataset.host) as proxy:
        second = dated([{"id": 1, "made_on": "2026-11-01"}, {"id": 2, "made_on": "2026-11-03"}])
        run(dataset.through(proxy.host), declared, second, [part(2, 0, "q")], name="b", at=1)
        (asked,) = proxy.kinds("query")
    condition = "(t.`made_on` IS NULL OR t.`made_on` BETWEEN @first AND @last)"
    assert asked.sql.count(condition) == 2
    given = {
        one["name"]: (one["parameterType"]["type"], one["parameterValue"]["value"])
        for one in asked.body["configuration"]["query"]["queryParameters"]
    }
    assert given["first"] == ("DATE", "2026-11-01")
    assert given["last"] == ("DATE", "2026-11-03")
    run(dataset, declared, dated([{"id": 1}, {"id": 4}]), [], name="c", at=2)
    found = dataset.query("SELECT id, CAST(made_on AS STRING) AS d, _run_id AS r FROM things ORDER BY id")
    assert [tuple(row.values()) for row in found.to_pylist()] == [
        (1, None, "c"), (2, "2026-11-03", "b"), (3, "2020-01-01", "a"), (4, None, "c"),
    ]  # fmt: skip
    assert ids(dataset, "parts", "thing_id") == [2, 3]


def dated(rows):
    from datetime import date  # noqa: PLC0415

    return [
        {**row, "made_on": date.fromisoformat(row["made_on"])} if "made_on" in row else row for row in rows
    ]


@pytest.mark.parametrize("mode", ["append", "merge"])
def test_a_table_that_is_not_as_declared_says_how_to_bring_it_up(dataset, mode):
    """A column or a table that is missing is named, with the command that makes it; nothing is written."""
    run(dataset, family(mode), [{"id": 1}], [part(1, 0)], name="a", at=0)
    with pytest.raises(FixConfiguration, match=rf"colour.*{APPLY}"):
        run(dataset, wider(mode), [{"id": 2, "colour": "red"}], name="b", at=1)
    assert ids(dataset) == [1]
    dataset.client.delete_table(dataset.warehouse.place.table("things"))
    with pytest.raises(FixConfiguration, match=rf"Not found: Table .*things.*{APPLY}"):
        run(dataset, family(mode), [{"id": 3}], name="c", at=2)
    # Were it made by the load, nobody would have declared its partitions.
    assert "things" not in {table.table_id for table in dataset.client.list_tables(dataset.name)}


# The emulator casts where Google compares the types, so these are Google's own words.
@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            "invalid",
            "Provided Schema does not match Table p:d.things. Field weight has changed type from FLOAT",
        ),
        ("invalid", "Provided Schema does not match Table p:d.things. Cannot add fields (field: colour)"),
        ("invalidQuery", "Column colour is not present in table p.d.things at [7:22]"),
        ("invalidQuery", "Unrecognized name: colour at [3:4]"),
        ("invalidQuery", "Query column 4 has type STRING which cannot be inserted into column weight, which"),
        ("notFound", "Not found: Table p:d.things was not found in location EU"),
        ("notFound", "Not found: Dataset p:d"),
    ],
)
def test_what_google_says_of_other_columns_names_the_command(reason, said):
    """Whichever way BigQuery tells that a table is not as declared, a person reads what to do."""
    error = explained_result({"reason": reason, "message": said})
    assert isinstance(error, FixConfiguration)
    assert said in error.message
    assert APPLY in error.next_step


@pytest.mark.parametrize("mode", ["append", "merge"])
def test_a_retyped_column_names_the_command_and_leaves_the_table(dataset, mode):
    """A column whose type changed in the YAML: the load, or the transaction, is refused as Google does."""
    dataset.prepare(family(mode))
    text = (HEAD + FAMILY % {"mode": mode, "parts": "description: P"}).replace(
        "weight: {type: FLOAT", "weight: {type: STRING"
    )
    said = (
        "Provided Schema does not match Table p:d.things. Field weight has changed type from FLOAT to STRING"
    )
    kind = "load" if mode == "append" else "query"
    with (
        Proxy(dataset.host, Fault(kind, ended("invalid", said))) as proxy,
        pytest.raises(FixConfiguration, match=rf"weight.*{APPLY}"),
    ):
        run(dataset.through(proxy.host), endpoint(text), [{"id": 2, "weight": "x"}], name="b", at=1)
    assert ids(dataset) == []


@pytest.mark.parametrize("mode", ["append", "merge"])
def test_rows_that_the_table_does_not_take_break_the_contract(dataset, mode):
    """A value that cannot be what the column is fails the run, and nothing is written."""
    dataset.prepare(family(mode))
    text = (HEAD + FAMILY % {"mode": mode, "parts": "description: P"}).replace(
        "weight: {type: FLOAT", "weight: {type: STRING"
    )
    with pytest.raises(BrokenContract, match=r"'heavy'.*nothing was written"):
        run(dataset, endpoint(text), [{"id": 2, "weight": "heavy"}], name="b", at=1)
    assert ids(dataset) == []


def test_a_run_that_another_delivery_finished_meanwhile_is_repeated(dataset):
    """A load whose answer is lost, and that an earlier delivery gave: found, waited for, not given again."""
    declared = family("append")
    run(dataset, declared, [{"id": 1}], name="a", at=0)
    with Proxy(dataset.host, Fault("load", unheard(lambda *_: None))) as proxy:
        run(dataset.through(proxy.host), declared, [{"id": 1}], name="a", at=0)
        assert [asked.status for asked in proxy.kinds("load")] == [0]
    assert ids(dataset) == [1]


def test_a_query_reads_only(dataset):
    """Whatever would write, or is wrong, is refused, with what to correct."""
    run(dataset, family("append"), [{"id": 1}], name="a", at=0)
    for sql in (
        "DELETE FROM things WHERE TRUE",
        "DROP TABLE things",
        "SELEC 1",
        "SELECT nothing FROM things",
    ):
        with pytest.raises(FixConfiguration, match="the query failed"):
            dataset.warehouse.query(sql)
    assert ids(dataset) == [1]
