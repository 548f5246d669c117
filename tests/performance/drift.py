"""Drift: what it costs when the API sends fields that nobody declared."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .processes import PRODUCT
from .report import Report, Table, Verdict
from .rounds import flattening, take_turns

if TYPE_CHECKING:
    from pathlib import Path

    from .session import Session

__all__ = ["measure"]

_NONE = "no unknown field"
_ONE = "one in every record"
_NEW = "a new one on every page"


def measure(session: Session) -> Report:
    """Measure the same crimes without, and with, unknown fields."""
    crimes = 20_000 // session.scale
    (plain,) = session.pages(crimes)
    one = _with_fields(plain, session.folder / "drift-one.json", renewed=False)
    new = _with_fields(plain, session.folder / "drift-new.json", renewed=True)
    files = {_NONE: plain, _ONE: one, _NEW: new}
    rounds = take_turns(
        [flattening(name, PRODUCT, "ours", file) for name, file in files.items()], 2 if session.quick else 7
    )
    return Report(
        title="Unknown fields",
        notes=f"Flattening {crimes:,} crimes. A field is noted where it is first met, then skipped.",
        tables=[Table(["", "x without"], [[name, f"{rounds.ratio(name, _NONE):.2f}"] for name in files])],
        verdicts=[
            Verdict("one unknown field in every record, x without", rounds.ratio(_ONE, _NONE), 1.25),
            Verdict("a new unknown field on every page, x without", rounds.ratio(_NEW, _NONE), 2),
        ],
        raw=rounds.raw(),
    )


def _with_fields(plain: Path, path: Path, *, renewed: bool) -> Path:
    """Write the pages again, each record and each of its slots with a field more."""
    with plain.open("rb") as source, path.open("w", encoding="utf-8") as target:
        for number, line in enumerate(source):
            page = json.loads(line)
            key = f"unknown_{number}" if renewed else "unknown"
            for crime in page["crimes"]:
                crime[key] = {"since": number, "kind": "new"}
                for slot in crime["slots"]:
                    slot[key] = number
            target.write(json.dumps(page, separators=(",", ":")) + "\n")
    return path
