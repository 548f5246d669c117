"""Requests to BigQuery that fail, are cut off or answered late: the rows end as of an undisturbed run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.bigquery import Dataset
from support.bigquery_proxy import Fault, Proxy, cut, ended, refused, running, slow, unheard
from support.bigquery_run import AFTER, older, rows, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.bigquery import Emulator

CONCURRENT = "Transaction is aborted due to concurrent update against table things"

# Made anew for each test: a fault counts what it saw.
LOADS: dict[str, Callable[[], list[Fault]]] = {
    "load cut before it is taken": lambda: [Fault("load", cut(taken=False))],
    "load taken, answer lost": lambda: [Fault("load", cut(taken=True), times=2)],
    "load taken, answer cut off": lambda: [Fault("load", cut(taken=True, sent=0.5))],
    "load 503": lambda: [Fault("load", refused(503, "backendError"))],
    "load 403": lambda: [Fault("load", refused(403, "rateLimitExceeded"))],
    "load is running": lambda: [Fault("load", running(2))],
    "load is running, a look fails": lambda: [
        Fault("load", running(1)),
        Fault("get job", refused(503, "backendError")),
    ],
    "load taken, answer lost, still running": lambda: [Fault("load", unheard(running(2)), n=2)],
    "load ended in error": lambda: [Fault("load", ended("backendError"))],
    "load ended in error, unheard": lambda: [Fault("load", unheard(ended("backendError")))],
    "load answered late": lambda: [Fault("load", slow(1.0))],
    "dataset 503": lambda: [Fault("get dataset", refused(503, "backendError"))],
    "ledger rows cut before they are taken": lambda: [Fault("insert rows", cut(taken=False))],
    "ledger rows taken, answer lost": lambda: [Fault("insert rows", cut(taken=True), n=2)],
}
SCRIPTS: dict[str, Callable[[], list[Fault]]] = {
    "load taken, answer lost": lambda: [Fault("load", cut(taken=True))],
    "staging table made, answer lost": lambda: [Fault("create table", cut(taken=True))],
    "query taken, answer lost": lambda: [Fault("query", cut(taken=True))],
    "query taken, answer cut off": lambda: [Fault("query", cut(taken=True, sent=0.5))],
    "query 503": lambda: [Fault("query", refused(503, "backendError"))],
    "query 403": lambda: [Fault("query", refused(403, "rateLimitExceeded"))],
    "query is running": lambda: [Fault("query", running(2))],
    "query ended in error": lambda: [Fault("query", ended("backendError"))],
    "query ended for another's": lambda: [Fault("query", ended("invalidQuery", CONCURRENT), times=2)],
    "children listed 503": lambda: [Fault("list jobs", refused(503, "backendError"))],
    "staging table removed, answer lost": lambda: [Fault("delete table", cut(taken=True))],
}
REPLACES: dict[str, Callable[[], list[Fault]]] = {
    "snapshot cut before it is taken": lambda: [Fault("copy", cut(taken=False))],
    "snapshot taken, answer lost": lambda: [Fault("copy", cut(taken=True))],
    "snapshot ended in error": lambda: [Fault("copy", ended("backendError"))],
    "query taken, answer lost": SCRIPTS["query taken, answer lost"],
}
CASES = [
    *(("append", name, plan) for name, plan in LOADS.items()),
    *(("merge", name, plan) for name, plan in SCRIPTS.items()),
    *(("replace", name, plan) for name, plan in REPLACES.items()),
]


@pytest.fixture(scope="module")
def direct(emulator: Emulator) -> Iterator[Dataset]:
    """Give a dataset in which every case has rows of its own: those of its account."""
    place = Dataset(emulator.host)
    older(place, [f"{mode} {name}" for mode, name, _ in CASES])
    yield place
    place.drop()


@pytest.mark.parametrize(("mode", "case", "plan"), CASES, ids=[f"{mode}-{name}" for mode, name, _ in CASES])
def test_a_fault_leaves_the_rows_of_an_undisturbed_run(
    direct: Dataset, mode: str, case: str, plan: Callable[[], list[Fault]]
) -> None:
    """The run ends as if nothing had been, no job's id is used twice, and no staging table stays."""
    name = f"{mode} {case}"
    with Proxy(direct.host, *plan()) as proxy:
        place = direct.through(proxy.host)
        assert write(place, mode, name) == "things=2 parts=1"
        assert not [fault for fault in proxy.plan if fault.seen < fault.n], "the fault did not come to pass"
    assert rows(direct, name) == AFTER[mode]
    taken = [asked.job_id for asked in proxy.submitted if asked.status == 200]
    assert len(taken) == len(set(taken))
    assert direct.staged() == []
    direct.tidy()
    log = direct.client.list_rows(direct.warehouse.place.table("runs_log"))
    assert len({row["_insert_id"] for row in log if row["run_id"] == name}) == 1
