"""The page of all endpoints, tables and columns."""

from __future__ import annotations

import re

import pytest
from fixtures.flat import declare

from shared.cli.generated import generated
from shared.cli.reference import MODES, SOURCES, reference
from shared.column_rules import column_problems
from shared.endpoint import Column, Table
from shared.endpoint_file import endpoint_schema, find_endpoints, load_endpoint
from shared.endpoint_rules import RESERVED_COLUMNS, table_columns
from shared.settings import ROOT

ENDPOINTS = {name: load_endpoint(file) for name, file in find_endpoints().items()}
PAGE = reference(ENDPOINTS)


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of all tables below a heading."""
    _, _, rest = page.partition(f"\n{heading}\n")
    assert rest, heading
    lines = re.split(r"\n##+ ", rest)[0].splitlines()
    split = (re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if line.startswith("| "))
    return [[cell.strip() for cell in row] for row in split]


@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_table_and_column_is_on_the_page(name: str) -> None:
    """With its type and its own words, in the order that the table has."""
    endpoint = ENDPOINTS[name]
    facts = dict(row for row in rows(PAGE, f"## {name}") if len(row) == 2)
    assert facts["schema version"] == str(endpoint.version)
    assert endpoint.key in facts["key"]
    for table in endpoint.tables:
        told = [row for row in rows(PAGE, f"### Table {table}") if len(row) == 6][1:]
        wanted = {n: c for n, c in table_columns(endpoint, table).items() if n not in RESERVED_COLUMNS}
        assert [row[0] for row in told] == [f"`{column}`" for column in wanted]
        assert [row[1] for row in told] == [column.type for column in wanted.values()]
        assert [bool(row[2]) for row in told] == [column.required for column in wanted.values()]
        assert [row[5].replace("\\", "") for row in told] == [c.description for c in wanted.values()]


def test_every_column_and_table_says_what_it_is() -> None:
    """No endpoint leaves its reader guessing."""
    for endpoint in ENDPOINTS.values():
        for table_name, table in endpoint.tables.items():
            assert table.description, table_name
            assert [n for n, column in table.columns.items() if not column.description] == [], table_name


def test_every_link_leads_somewhere() -> None:
    """To a heading of the page, under the name that GitHub gives it, or to a file beside it."""
    headings = [line.lstrip("# ") for line in PAGE.splitlines() if line.startswith("#")]
    anchors = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
    assert len(anchors) == len(set(anchors))
    links = re.findall(r"\]\(([^)]+)\)", PAGE)
    assert len(links) > 50
    for link in links:
        if link.startswith("#"):
            assert link[1:] in anchors
        else:
            assert (ROOT / "functions" / link).exists(), link


def test_every_source_and_mode_that_can_be_declared_has_a_meaning() -> None:
    """What the rules allow and the page cannot explain would be shown bare."""
    hint = next(what for _, what in column_problems(Column(type="STRING", from_="$no"), inside=True))
    assert set(SOURCES) == set(re.findall(r"\$\w+", hint)) - {"$no"}
    table = endpoint_schema()["$defs"][Table.__name__]
    assert set(MODES) == set(table["properties"]["mode"]["enum"])


def test_a_group_of_commands_has_a_row_for_each() -> None:
    """The main page's table of commands names what can be called, with its own words and options."""
    told = {row[0]: row[1:] for row in rows(generated()[ROOT / "README.md"], "## The command")}
    what, options = told["`tcdatalogger schema check [ENDPOINTS]...`"]
    assert "released tables" in what
    assert options == "`--json`"
    assert "`tcdatalogger schema release [ENDPOINTS]...`" in told
    assert [call for call in told if call.startswith("`tcdatalogger schema`")] == []


def test_what_is_declared_is_told() -> None:
    """Requests, windows, parents, sources, units and checks, each in words."""
    page = reference(
        {
            "made": declare(
                """
                things:
                  mode: replace
                  allow_empty: true
                  key: [id]
                  partition: at
                  cluster: [id]
                  ignore: [big, more.big]
                  description: One row per *thing* | or <none>.
                  columns:
                    at: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
                    id: {type: INTEGER, mode: REQUIRED, from: id, check: {min: 1, severity: reject}}
                    made: {type: TIMESTAMP, from: made.at, unit: ms}
                    word: {type: STRING, from: word, check: {enum: [a|b, c]}}
                    share: {type: FLOAT, from: share, check: {min: 0, max: 0.5}}
                    gone: {type: STRING, description: Never.}
                parts:
                  each: parts
                  mode: replace
                  parent: {thing: id}
                  columns:
                    at: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
                    place: {type: INTEGER, from: $index}
                    value: {type: STRING, from: $value}
                """,
                requests="""
                things:
                  path: /things
                  params: {cat: "a,b", old: true}
                  records: all.things
                  pages: links
                  window: {from: from, to: until}
                  lookback: P3D
                """,
            )
        }
    )
    facts = dict(row for row in rows(page, "## made") if len(row) == 2)
    assert facts["request"] == (
        "`/things?cat=a,b&old=true`; records at `all.things`; every page, up to 1,000; "
        "a backfill sets `from` and `until`; a scheduled run asks from P3D before its slot"
    )
    assert facts["a message may set"] == "nothing"
    assert facts["fails"] == "when more than 10% of the records are rejected"
    assert "\nOne row per \\*thing\\* \\| or \\<none>.\n" in page
    things = dict(row for row in rows(page, "### Table things") if len(row) == 2)
    assert things["mode"] == "replace: the rows of the newest run, which may have none"
    assert things["tables inside"] == "[parts](#table-parts)"
    assert things["not taken"] == "`big`, `more.big`"
    columns = {row[0]: row[1:] for row in rows(page, "### Table things") if len(row) == 6}
    assert columns["`id`"][3] == "at least 1; else its record is rejected"
    assert columns["`made`"][2] == "`made.at`, unix milliseconds"
    assert columns["`word`"][3] == "one of a\\|b, c"
    assert columns["`share`"][3] == "0 to 0.5"
    assert columns["`gone`"][2:] == ["nowhere; always NULL", "", "Never."]
    parts = {row[0]: row[1:] for row in rows(page, "### Table parts") if len(row) == 6}
    assert parts["`thing`"][2] == "[things](#table-things): `id`"
    assert parts["`place`"][2] == "its place in the list, from 0"
    assert ["a row for", "every element of `parts` in a row of [things](#table-things)"] in rows(
        page, "### Table parts"
    )
