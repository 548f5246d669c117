"""How far a configuration goes: the number of accounts at which each limit is met, with the arithmetic."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from shared.cost.ceiling import Ceiling, Limit, ceiling_of, ceiling_of_all, terms
from shared.cost.facts import LIMITS
from shared.cost.figures import file_figures
from shared.cost.filled import loaded, streamed
from shared.cost.queries import transactions
from shared.cost.setup import setups_of
from shared.cost.timing import run_seconds, transaction_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from shared.cost.figures import RunFigures
    from shared.cost.setup import Setup
    from shared.endpoint import Endpoint

__all__ = ["ceiling_problems", "ceilings", "problems_of"]

_FOUR_HOURS = 4 * 3_600
_DAY_MINUTES = 1_440
#: What one account takes of ACCOUNTS.
_ACCOUNT = '"faction-10000":{"faction_id":10000,"key":"torn-api-key-10000"},'


def ceiling_problems(
    endpoints: Iterable[Endpoint], accounts: int, figures: Mapping[str, RunFigures] | None = None
) -> list[str]:
    """Return a sentence for every ceiling that so many accounts exceed; none when all is well.

    Args:
        endpoints: What is declared.
        accounts: How many accounts are to be collected.
        figures: Endpoint → what a run takes; else what figures.toml says.
    """
    setups = setups_of(endpoints)
    if figures is None:
        figures = {setup.name: file_figures(setup.endpoint) for setup in setups}
    return problems_of(ceilings(setups, figures), accounts)


def problems_of(found: Iterable[Ceiling], accounts: int) -> list[str]:
    """Return the ceilings that so many accounts exceed, as sentences."""
    many = f"{accounts:,} account{'s' if accounts != 1 else ''}"
    return [
        f"{many} exceed{'s' if accounts == 1 else ''} {ceiling}"
        for ceiling in found
        if ceiling.accounts is not None and accounts > ceiling.accounts
    ]


def ceilings(setups: Sequence[Setup], figures: Mapping[str, RunFigures]) -> list[Ceiling]:
    """Return every ceiling, the lowest first."""
    found: list[Ceiling] = []
    for setup in setups:
        one = figures[setup.name]
        found += [*_table_loads(setup, one), *_transactions(setup, one), _function_time(setup, one)]
    found += [*_project_loads(setups, figures), *_streams(setups, figures)]
    found += [_key_calls(setups), _address_calls(setups, figures), *_accounts_variable(setups)]
    return sorted(found, key=lambda one: float("inf") if one.accounts is None else one.accounts)


def _table_loads(setup: Setup, figures: RunFigures) -> Iterator[Ceiling]:
    # A merged or replaced table takes none: what is loaded is a table of the run's own.
    tables = [n for n in loaded(setup, figures) if setup.endpoint.tables[n].mode == "append"]
    if tables:
        limit = Limit(
            "load jobs per table and day",
            LIMITS.amount("loads_per_table"),
            "load jobs",
            "`writer: stream`, a longer `every`",
        )
        which = f"each of its {len(tables)} appended tables" if len(tables) > 1 else f"the table {tables[0]}"
        text = f"{which} takes 1 load job a run x {setup.slots_a_day} runs a day"
        yield ceiling_of(limit, setup, setup.slots_a_day, text)


def _project_loads(setups: Sequence[Setup], figures: Mapping[str, RunFigures]) -> Iterator[Ceiling]:
    jobs = {one.name: one.slots_a_day * len(loaded(one, figures[one.name])) for one in setups}
    if any(jobs.values()):
        limit = Limit(
            "load jobs per project and day",
            LIMITS.amount("loads_per_project"),
            "load jobs a day",
            "`writer: stream`, fewer tables, a longer `every`, a project of its own for some accounts",
        )
        yield ceiling_of_all(limit, setups, jobs)


def _transactions(setup: Setup, figures: RunFigures) -> Iterator[Ceiling]:
    for family in transactions(setup, figures):
        seconds = transaction_seconds(setup, figures, family)
        merges = setup.endpoint.tables[family.root].mode == "merge"
        limit = Limit(
            "concurrent transactions on one table",
            setup.interval * LIMITS.amount("transactions_per_table"),
            f"s from slot to slot ({setup.endpoint.every})",
            "append instead of merge, a longer `every`" if merges else "a longer `every`",
        )
        text = (
            f"{family.root} takes one transaction at a time, {seconds.total:.2f} s of each run "
            f"({seconds.arithmetic})"
        )
        yield ceiling_of(limit, setup, seconds.total, text)


def _function_time(setup: Setup, figures: RunFigures) -> Ceiling:
    seconds, many = run_seconds(setup, figures), setup.max_instances
    slot = f"s from slot to slot ({setup.endpoint.every})"
    limit = Limit(
        f"time of {many} instance{'s' if many != 1 else ''}",
        setup.interval * many,
        slot if many == 1 else f"s: {many} instances x {setup.interval:,.0f} {slot}",
        "more instances, more `memory` (CPU comes with it), a longer `every`",
    )
    # Below a whole CPU an instance takes one request at a time; a run that begins more than one `every` late
    # is `missed`.
    text = f"an instance makes one run at a time, {seconds.total:.2f} s each ({seconds.arithmetic})"
    return ceiling_of(limit, setup, seconds.total, text)


def _streams(setups: Sequence[Setup], figures: Mapping[str, RunFigures]) -> Iterator[Ceiling]:
    made = {
        one.name: ceil(_FOUR_HOURS / one.interval) * len(streamed(one, figures[one.name])) for one in setups
    }
    if any(made.values()):
        limit = Limit(
            "write streams per project and 4 hours",
            LIMITS.amount("streams_per_four_hours"),
            "write streams, one a run and table",
            "`writer: load` for what runs seldom, a longer `every`, a project of its own for some accounts",
        )
        yield ceiling_of_all(limit, setups, made)


def _key_calls(setups: Sequence[Setup]) -> Ceiling:
    most = LIMITS.amount("calls_per_key")
    calls = {setup.name: setup.endpoint.calls_per_minute for setup in setups}
    total = sum(calls.values())
    within = total <= most
    return Ceiling(
        "API calls per minute and user",
        None,
        None if within else 0,
        f"{terms(calls)} = {total:,} calls a minute {'≤' if within else '>'} {most:,} for each account's key",
        "`calls_per_minute`, a key of its own for each account",
    )


def _address_calls(setups: Sequence[Setup], figures: Mapping[str, RunFigures]) -> Ceiling:
    calls = {one.name: one.slots_a_day * figures[one.name].pages / _DAY_MINUTES for one in setups}
    limit = Limit(
        "API calls per minute and IP address",
        LIMITS.amount("calls_per_address"),
        "calls a minute, were all to leave by one address, evenly",
        "fewer pages (`lookback`), a longer `every`, several addresses (Cloud Run has many)",
    )
    return ceiling_of_all(limit, setups, calls)


def _accounts_variable(setups: Sequence[Setup]) -> Iterator[Ceiling]:
    if any(setup.endpoint.scope == "account" for setup in setups):
        size, most = len(_ACCOUNT), LIMITS.amount("variable_bytes")
        yield Ceiling(
            "size of the setting ACCOUNTS",
            None,
            most // size,
            f"{size} bytes an account x N accounts ≤ {most:,} bytes of a variable → N ≤ {most // size:,}",
            "shorter names, a deployment of its own for some accounts",
        )
