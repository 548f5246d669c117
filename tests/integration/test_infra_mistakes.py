"""A mistake in an endpoint.yaml or a variable fails the plan, with the file, the key and what to do."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from support.terraform import Checkout, common, once

pytestmark = pytest.mark.timeout(300)

SOUND = """\
name: NAME
description: What may be wrong.
source: torn
requests:
  all: {path: /faction/all, records: $}
every: PT1H
key: torn-api-key
calls_per_minute: 1
tables:
  NAME:
    description: A row.
    columns:
      server_timestamp: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
      size: {type: INTEGER, from: size, check: {min: 1}}
"""
COLUMNS = SOUND[SOUND.index("      server_timestamp") :]


class Mistake(NamedTuple):
    """What is written instead of what, and what Terraform says of it."""

    instead_of: str
    written: str
    said: str
    then: str


UNKNOWN = "functions/endpoint.schema.json has those that there are"
MISSHAPEN = "`tcdatalogger endpoints --check` says more"
UNDIVIDED = "Take PT5M, PT15M, PT1H, PT1H30M, PT6H, PT12H or P1D"
OWN_LINE = "Give each column a line of its own, indented by six spaces, or run `tcdatalogger schema release`"
COLUMN = "Correct the name, or declare the column"
#: Folder → its mistake; FILE is the folder's endpoint.yaml.
MISTAKES = {
    "key_of_file": Mistake("every:", "evry: PT1H\nevery:", "FILE: evry", UNKNOWN),
    "key_of_request": Mistake("path:", "paht:", "FILE: requests.all.paht", UNKNOWN),
    "key_of_table": Mistake("    description:", "    descripton:", "FILE: tables.NAME.descripton", UNKNOWN),
    "key_of_column": Mistake("from: size", "form: size", "FILE: tables.NAME.columns.size.form", UNKNOWN),
    "key_of_check": Mistake("min: 1", "mni: 1", "FILE: tables.NAME.columns.size.check.mni", UNKNOWN),
    "no_key": Mistake("key: torn-api-key\n", "", "Missing: FILE: key", "says what each is"),
    "no_main": Mistake("", "", "not there: functions/no_main/main.py.", "`tcdatalogger new` writes one"),
    "no_yaml": Mistake("requests:", " requests: [", "FILE: no YAML, or no map of keys", MISSHAPEN),
    "nothing": Mistake(SOUND, "", "FILE: no YAML, or no map of keys", MISSHAPEN),
    "a_list": Mistake(SOUND, "- name\n", "FILE: no YAML, or no map of keys", MISSHAPEN),
    "no_tables": Mistake(
        SOUND[SOUND.index("tables:") :], "tables: {}\n", "FILE: tables: at least one is wanted", MISSHAPEN
    ),
    "no_columns": Mistake(
        f"    columns:\n{COLUMNS}", "", "FILE: tables.NAME.columns: a map of columns is wanted", MISSHAPEN
    ),
    "empty_columns": Mistake(
        COLUMNS, "", "FILE: tables.NAME.columns: a map of columns is wanted", MISSHAPEN
    ),
    "columns_listed": Mistake(
        COLUMNS, "      - size\n", "FILE: tables.NAME.columns: a map of columns is wanted", MISSHAPEN
    ),
    "requests_listed": Mistake("  all: {", "  - {", "FILE: requests: a map of names is wanted", MISSHAPEN),
    "request_a_path": Mistake(
        "{path: /faction/all, records: $}", "/all", "FILE: requests.all: a map of keys is wanted", MISSHAPEN
    ),
    "key_a_text": Mistake(
        "    columns:", "    key: size\n    columns:", "FILE: tables.NAME.key: a list of columns", MISSHAPEN
    ),
    "calls_a_word": Mistake(
        "minute: 1", "minute: many", "FILE: calls_per_minute: a number is wanted", MISSHAPEN
    ),
    "other_type": Mistake(
        "INTEGER", "NUMBER", "FILE: tables.NAME.columns.size: a type is wanted, one of BOOLEAN,", MISSHAPEN
    ),
    "column_a_type": Mistake(
        "size: {type: INTEGER, from: size, check: {min: 1}}", "size: INTEGER",
        "FILE: tables.NAME.columns.size: a type is wanted", MISSHAPEN,
    ),
    "other_name": Mistake(
        "name: NAME", "name: elsewhere", "functions/NAME is named elsewhere", "entry point have one name"
    ),
    "seven": Mistake("PT1H", "PT7M", "FILE: every: PT7M", UNDIVIDED),
    "seconds": Mistake("PT1H", "PT90S", "FILE: every: PT90S", UNDIVIDED),
    "month": Mistake("PT1H", "P1M", "FILE: every: P1M", UNDIVIDED),
    "often": Mistake(
        "PT1H", "PT2M", "Under PT5M needs `writer: stream`: NAME (PT2M)", "1,500 load jobs a day"
    ),
    "one_line": Mistake(
        f"columns:\n{COLUMNS}",
        "columns: {one: {type: STRING, from: one}, two: {type: STRING, from: two}}\n",
        "FILE: tables.NAME.columns.one; FILE: tables.NAME.columns.two", OWN_LINE,
    ),
    "no_parent": Mistake(
        "    columns:", "    parent: {all_id: id}\n    columns:",
        "FILE: tables.NAME.parent.all_id: id", "says which there are",
    ),
    "partition": Mistake(
        "    columns:", "    partition: born\n    columns:", "FILE: tables.NAME.partition: born", COLUMN
    ),
    "cluster": Mistake(
        "    columns:", "    cluster: [kind]\n    columns:", "FILE: tables.NAME.cluster: kind", COLUMN
    ),
    "a_view": Mistake("  NAME:", "  payouts:", "has this name: payouts", "Rename the endpoint's table"),
    "second": Mistake(
        "  NAME:", "  members:", "declares these tables: members (members, second)", "rename one"
    ),
    "backup": Mistake("", "", "has this name already: backup", "Rename the endpoint's folder"),
    "greedy": Mistake(
        "minute: 1", "minute: 61", "items 5 + key_a_text 1", "Lower calls_per_minute in endpoint.yaml"
    ),
}  # fmt: skip


@pytest.fixture(scope="session")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give what Terraform says of all mistakes at once; each is in a folder of its own."""

    def refused() -> str:
        checkout = Checkout.copy(tmp_path_factory.mktemp("mistakes"), tmp_path_factory)
        for name, mistake in MISTAKES.items():
            folder = checkout.root / "functions" / name
            folder.mkdir()
            assert mistake.instead_of in SOUND
            text = SOUND.replace(mistake.instead_of, mistake.written, 1)
            if name != "no_main":
                (folder / "main.py").touch()
            (folder / "endpoint.yaml").write_text(text.replace("NAME", name), encoding="utf-8")
        return checkout.refused("-target=terraform_data.checks", '-var=paused=["crime"]')

    return str(once(common(tmp_path_factory), "mistakes", refused))


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_named(said: str, name: str):
    """The message has the file, the key in it and the next step."""
    mistake = MISTAKES[name]
    wanted = mistake.said.replace("FILE", f"functions/{name}/endpoint.yaml").replace("NAME", name)
    message = message_with(said, wanted)
    assert mistake.then in message


def test_pause_of_what_is_not_there_is_named(said: str):
    """Whoever pauses by a wrong name hears which names there are."""
    assert "There are: a_list, a_view, backup" in message_with(said, "paused names what there is not: crime.")


def test_sum_of_calls_is_written_out(said: str):
    """What is more than the API allows is said as a sum, endpoint by endpoint."""
    message = message_with(said, "More calls a minute than the API allows one user (100): torn-api-key:")
    terms = message.split("torn-api-key: ")[1].split(" = ")
    total = sum(int(term.split()[1]) for term in terms[0].split(" + "))
    assert total == int(terms[1].split(".")[0]) > 100


def test_nothing_but_what_is_checked_fails(said: str):
    """No mistake comes out as an error of Terraform's own, which would say where in infra/ and not why."""
    assert said.count("Error: ") == said.count("Error: Resource precondition failed")


def message_with(said: str, wanted: str) -> str:
    """Return the one of Terraform's messages that has some words."""
    (found,) = [part for part in said.split("Error: Resource precondition failed") if wanted in part]
    return found
