"""The command on a terminal: progress, tables in boxes, errors in words, and Ctrl-C."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.processes import BIN
from support.terminal import Seen, on_terminal

from shared.simulator import FOREVER

if TYPE_CHECKING:
    from support.world import World

LINE = "─" * 10


def see(world: World, *words: str, columns: int = 120, ctrl_c_after: str = "", **changes: str | None) -> Seen:
    """Type a command; no traceback is ever shown."""
    seen = on_terminal(
        [BIN / "tcdatalogger", *words],
        env=world.environ(LOG_FORMAT=None, **changes),
        cwd=world.folder,
        columns=columns,
        ctrl_c_after=ctrl_c_after,
    )
    assert "Traceback" not in seen.text
    return seen


def test_a_run_shows_progress_then_tables_then_an_answer(world: World) -> None:
    """Each endpoint has a bar that ends with its outcome; rows per table and the answer stand in boxes."""
    seen = see(world, "run", "--all", "--answer")
    assert seen.code == 0
    runs = {run["endpoint"]: run for run in world.runs()}
    for name, count in (("crimes", 2), ("items", 1)):
        bars = [line for line in seen.text.splitlines() if line.startswith(f"{name} ") and "━" in line]
        rows = sum(len(found) for found in world.tables(name).values())
        pages = f"{count} page{'s' if count > 1 else ''}"
        assert bars[-1].rstrip().endswith(f"ok, {pages}, {rows} rows")
        assert runs[name]["pages"] == str(count)
    assert f"Collecting from {world.api.url}" in seen.text
    assert seen.text.count(LINE) >= 2
    assert f"database: {world.database}" in seen.text
    assert "How do our crimes go" in seen.text.partition(LINE)[2]
    assert "success_percent" in seen.text
    assert seen.raw.rindex("\x1b[?25h") > seen.raw.rindex("\x1b[?25l"), "the cursor must be shown again"


def test_without_a_key_it_says_that_the_faction_is_simulated(world: World) -> None:
    """A person sees at once whose rows these are, also in the status."""
    none: dict[str, str | None] = {"TORN_API_KEY": None, "TORN_API_URL": None}
    seen = see(world, "run", "items", **none)
    assert seen.code == 0
    assert seen.text.startswith("No TORN_API_KEY is set: collecting from a simulated faction")
    assert "(a simulated faction)" in see(world, "status", **none).text


def test_a_failed_run_shows_what_happened_and_what_to_do(world: World) -> None:
    """The bar ends with the outcome; the API's refusal follows in words, with the next step."""
    world.api.faults.add("crimes", "error-2", times=FOREVER)
    seen = see(world, "run", "crimes")
    assert seen.code == 1
    assert "failed, 0 pages, 0 rows" in seen.text
    assert "crimes: Torn error 2: the key is incorrect" in seen.text
    assert "next: give the run a key that works" in seen.text
    assert world.key not in seen.raw


def test_ctrl_c_ends_a_run_and_gives_the_terminal_back(world: World) -> None:
    """Typed while the API keeps it waiting: nothing is written, the cursor is there again."""
    world.api.faults.add("crimes", "timeout", times=FOREVER)
    seen = see(world, "run", "crimes", ctrl_c_after="asking")
    assert seen.code == 130
    assert seen.text.rstrip().endswith("stopped; what was not finished was not written")
    assert seen.raw.rindex("\x1b[?25h") > seen.raw.rindex("\x1b[?25l")
    assert not world.database.exists() or world.outcomes() == []


def test_ctrl_c_ends_the_simulator(world: World) -> None:
    """It prints what to set, and ends as a person ends it."""
    seen = see(world, "simulate", "--port", "0", ctrl_c_after="TORN_API_KEY=")
    assert seen.code == 0
    assert seen.text.count("\n") <= 2


def test_values_are_shown_for_people(world: World) -> None:
    """Thousands are grouped, NULL is empty, moments have no zone; what a name holds is shown as it is."""
    assert see(world, "run", "items").code == 0
    seen = see(
        world,
        "query",
        "SELECT '[bold]Pet[/bold] [/x] :smile:' AS name, NULL AS nothing, 1234567 AS money, 9999 AS year, "
        "12345.678 AS share, true AS yes, DATE '2026-01-02' AS day, 340282366920938463::HUGEINT AS sum, "
        "TIMESTAMPTZ '2026-01-02 03:04:05.678+00' AS moment",
        columns=200,
    )
    assert seen.code == 0
    names, line, row = seen.text.strip().splitlines()
    assert LINE in line
    assert names.split() == ["name", "nothing", "money", "year", "share", "yes", "day", "sum", "moment"]
    assert [word.strip() for word in row.split("  ") if word.strip()] == [
        *("[bold]Pet[/bold] [/x] :smile:", "1,234,567", "9999", "12,345.68", "True", "2026-01-02"),
        *("340,282,366,920,938,463", "2026-01-02 03:04:05"),
    ]


def test_a_narrow_terminal_loses_no_word(world: World) -> None:
    """Where a table is too wide its cells are folded, none is cut off."""
    assert see(world, "run", "--all").code == 0
    for words in (["status"], ["endpoints"], ["endpoints", "crimes"]):
        wide, narrow = (see(world, *words, columns=columns) for columns in (300, 70))
        assert (wide.code, narrow.code) == (0, 0)
        letters = [sorted("".join(seen.text.replace("─", "").split())) for seen in (wide, narrow)]
        assert letters[0] == letters[1]
        lines = [line for line in narrow.text.splitlines() if str(world.database) not in line]
        assert max(map(len, lines)) <= 70


def test_endpoints_are_listed_and_checked(world: World) -> None:
    """The list has a line for each; the check of this repository finds nothing, and says nothing."""
    listing = see(world, "endpoints")
    assert listing.code == 0
    assert "crimes (merge)" in listing.text
    assert "items (replace)" in listing.text
    assert see(world, "endpoints", "--check") == Seen(0, "")


def test_generating_what_is_fresh_writes_nothing(world: World) -> None:
    """`--generate` names the files it wrote: here none."""
    assert see(world, "endpoints", "--generate") == Seen(0, "")


def test_a_wrong_query_is_answered_in_words(world: World) -> None:
    """DuckDB's own words, and what to do."""
    assert see(world, "run", "items").code == 0
    seen = see(world, "query", "SELECT nope FROM items")
    assert seen.code == 1
    assert "nope" in seen.text
    assert "next: correct it" in seen.text
    assert "There is no SQL" in see(world, "query", " ").text
