"""When views are made in a DuckDB file: with the last table that they read, and when they change."""

from __future__ import annotations

import duckdb
import pytest
from support.tables import FAMILY, HEAD, batch, endpoint, family

from shared.endpoint_file import find_endpoints, load_endpoint
from shared.released import declared_tables, fingerprint
from shared.warehouse import open_warehouse
from shared.warehouse.duckdb_schema import ensure_endpoint, ensure_ledger
from shared.warehouse.views import VIEWS, digest, endpoint_views

ENDPOINTS = {name: load_endpoint(file) for name, file in find_endpoints().items()}


@pytest.fixture(name="connection")
def _connection():
    with duckdb.connect() as connection:
        ensure_ledger(connection)
        yield connection


def views(connection):
    rows = connection.execute("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal")
    return dict(rows.fetchall())


def test_every_view_is_made_and_answers_when_every_endpoint_has_run(connection):
    """Whichever endpoint comes last; each with its description, and none that fails when it is asked."""
    for name in reversed(ENDPOINTS):
        ensure_endpoint(connection, ENDPOINTS[name], "run")
    wanted = {view.name: view.description for one in ENDPOINTS.values() for view in endpoint_views(one)}
    found = views(connection)
    assert wanted.items() <= found.items()
    assert set(found) == {*wanted, *VIEWS}
    for name in found:
        assert connection.execute(f'SELECT * FROM "{name}"').fetchall() == []


def test_a_view_over_two_endpoints_waits_for_the_second(connection):
    """Crimes alone have their own answers; names come when members were collected."""
    ensure_endpoint(connection, ENDPOINTS["crimes"], "run")
    assert "success_by_role" in views(connection)
    assert "success_by_member" not in views(connection)
    ensure_endpoint(connection, ENDPOINTS["members"], "run")
    assert "success_by_member" in views(connection)


def test_views_are_made_again_when_they_changed_and_only_then(connection):
    """A run without news makes none; one that finds the marks of an earlier version makes all."""
    crimes = ENDPOINTS["crimes"]
    ensure_endpoint(connection, crimes, "run")
    connection.execute("DROP VIEW success_by_role")
    ensure_endpoint(connection, crimes, "run")
    assert "success_by_role" not in views(connection)
    old = f"{fingerprint(declared_tables(crimes))} {digest(endpoint_views(crimes)[1:])}"
    connection.execute("UPDATE _followed SET fingerprint = ? WHERE endpoint = 'crimes'", [old])
    connection.execute("CREATE VIEW success_by_role AS SELECT 1 AS other")
    ensure_endpoint(connection, crimes, "run")
    assert views(connection)["success_by_role"] is not None
    assert connection.execute("SELECT slots FROM success_by_role").fetchall() == []
    rows = connection.execute("SELECT count(*) FROM schema_versions WHERE endpoint = 'crimes'").fetchall()
    assert rows == [(1,)], "the tables are those they were"


def test_a_new_column_is_in_the_latest(tmp_path):
    """A table that was given a column has it in its view from the same run on."""
    warehouse = open_warehouse(f"duckdb:{tmp_path / 'w.duckdb'}")
    more = FAMILY.replace("      name: {type: STRING, from: name}", "      name: {type: STRING, from: name}\n"
                          "      size: {type: INTEGER, from: size}")  # fmt: skip
    for run, declared, row in (
        ("a", family("append"), {"id": 1}),
        (
            "b",
            endpoint(HEAD + more % {"mode": "append", "parts": "description: Parts."}),
            {"id": 1, "size": 5},
        ),
    ):
        with warehouse.begin(declared, run, "default") as writer:
            writer.write("things", batch(declared, "things", [row], run=run, at=0 if run == "a" else 15))
            writer.finish()
            writer.commit()
        found = warehouse.query("SELECT * FROM things_latest").to_pylist()
        assert [one.get("size") for one in found] == [row.get("size")]
        assert [one["_run_id"] for one in found] == [run]


def test_a_view_that_cannot_be_made_costs_no_row(tmp_path):
    """Another faction's `currency` without a price is collected as declared, only without the view."""
    declared = endpoint(
        HEAD.replace("things", "currency")
        + """
tables:
  currency:
    columns:
      server_timestamp: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
      other: {type: STRING, from: other}
"""
    )
    warehouse = open_warehouse(f"duckdb:{tmp_path / 'w.duckdb'}")
    with warehouse.begin(declared, "a", "default") as writer:
        writer.write("currency", batch(declared, "currency", [{"other": "x"}], run="a", at=0))
        writer.finish()
        writer.commit()
    assert warehouse.query("SELECT other FROM currency_latest").to_pylist() == [{"other": "x"}]
    there = warehouse.query("SELECT view_name FROM duckdb_views() WHERE NOT internal").to_pylist()
    assert {"view_name": "points_price_history"} not in there
    assert set(declared_tables(declared)) == {"currency"}
