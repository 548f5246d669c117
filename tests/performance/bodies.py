"""What the simulated faction answers to each endpoint's requests, kept in files, a body a line.

``python -m tests.performance.bodies FOLDER MOMENTS BYTES`` asks for every endpoint at so many moments,
and writes for each what was sent, and the same with lists so long that a run's bodies have so many
bytes. It prints one line of JSON: the endpoints written, and why others were not.

Beside each file stands another that says of which request and run each line is.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from shared.endpoint import Endpoint
    from shared.simulator import Simulator

__all__ = ["LARGE", "SENT", "Body", "read_runs", "write_all", "write_runs"]

#: Files' names: as the API sends it, and with long lists.
SENT, LARGE = "sent.json", "large.json"
_NOW = 1_777_308_831
#: Seconds between two moments: long enough for everything to have moved.
_APART = 5 * 3_600 + 7


@dataclass(frozen=True, slots=True)
class Body:
    """One answer: the request's name in endpoint.yaml, what was sent, and when."""

    request: str
    content: bytes
    fetched_at: datetime


def write_runs(path: Path, runs: Iterable[Sequence[Body]]) -> None:
    """Write runs' bodies, each run's in the order in which they were asked for."""
    index = []
    with path.open("wb") as file:
        for run in runs:
            file.writelines(body.content + b"\n" for body in run)
            index.append([(body.request, body.fetched_at.timestamp()) for body in run])
    path.with_suffix(".index").write_text(json.dumps(index), encoding="utf-8")


def read_runs(path: Path) -> list[list[Body]]:
    """Return the runs that were written to a file."""
    index = json.loads(path.with_suffix(".index").read_text(encoding="utf-8"))
    with path.open("rb") as file:
        return [
            [Body(name, file.readline().rstrip(b"\n"), datetime.fromtimestamp(at, UTC)) for name, at in run]
            for run in index
        ]


def write_all(
    folder: Path, *, moments: int, size: int, files: Mapping[str, Path] | None = None
) -> tuple[list[str], dict[str, str]]:
    """Write every endpoint's bodies below a folder; return their names, and why others have none.

    ``files`` are the endpoint.yaml by name, those of functions/ if None.
    """
    # A process that only reads them has no need of it.
    from shared.endpoint_file import find_endpoints, load_endpoint  # noqa: PLC0415
    from shared.errors import CollectError  # noqa: PLC0415
    from shared.simulator import Simulator  # noqa: PLC0415

    written, missing = [], {}
    clock = _Clock(_NOW)
    # Items come in two shapes, of which each fills another table.
    with (
        Simulator(clock=clock, calls_per_minute=1_000_000_000) as one,
        Simulator(clock=clock, calls_per_minute=1_000_000_000, prices="shops") as other,
    ):
        for name, file in (find_endpoints() if files is None else files).items():
            endpoint = load_endpoint(file)
            try:
                runs = [
                    _ask(endpoint, (one, other)[number % 2], clock.move(number), folder)
                    for number in range(moments)
                ]
            except CollectError as error:
                missing[name] = error.message
                continue
            (folder / name).mkdir(parents=True)
            write_runs(folder / name / SENT, runs)
            write_runs(folder / name / LARGE, _enlarged(endpoint, runs, size))
            written.append(name)
    return written, missing


class _Clock:
    def __init__(self, start: int) -> None:
        self._start = self.now = start

    def __call__(self) -> float:
        return self.now

    def move(self, number: int) -> datetime:
        self.now = self._start + number * _APART
        return datetime.fromtimestamp(self.now, UTC)


def _ask(endpoint: Endpoint, api: Simulator, moment: datetime, folder: Path) -> list[Body]:
    """Fetch as a run does."""
    from shared.collector import Collector  # noqa: PLC0415
    from shared.keys import EnvironmentKeys, KeyRing  # noqa: PLC0415
    from shared.message import GLOBAL, Request  # noqa: PLC0415
    from shared.settings import Settings  # noqa: PLC0415

    key = {"TORN_API_KEY": api.key}
    settings = Settings.read(
        {
            **key,
            "TORN_API_URL": api.url,
            "ARCHIVE": f"file:{folder / 'archive'}",
            "WAREHOUSE": f"duckdb:{folder / 'none.duckdb'}",
        }
    )
    name = str(int(moment.timestamp()))
    request = Request(
        endpoint=endpoint.name,
        account=GLOBAL if endpoint.scope == "global" else next(iter(settings.accounts)),
        name=name,
        message_id=name,
        published_at=moment,
    )
    # A new one each time: it would keep to the endpoint's calls a minute.
    collector = Collector(endpoint, settings, keys=KeyRing(EnvironmentKeys(key)))
    manifest = collector.fetcher.fetch(request, "bench")
    return [Body(page.request, collector.archive.body(page), moment) for page in manifest.pages]


def _enlarged(endpoint: Endpoint, runs: Sequence[Sequence[Body]], size: int) -> list[list[Body]]:
    from .grown import grown, key_paths  # noqa: PLC0415

    keys = key_paths(endpoint)
    large = []
    for run in runs:
        times = max(1, size // sum(len(body.content) for body in run))
        large.append([Body(body.request, grown(body.content, times, keys), body.fetched_at) for body in run])
    return large


if __name__ == "__main__":
    told = write_all(Path(sys.argv[1]), moments=int(sys.argv[2]), size=int(sys.argv[3]))
    print(json.dumps({"written": told[0], "missing": told[1]}))
