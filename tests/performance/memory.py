"""Memory: what flattening holds at its peak, and what every further row adds to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .processes import PRODUCT
from .report import Report, Table, Verdict
from .rounds import flattening, take_turns

if TYPE_CHECKING:
    from .session import Session

__all__ = ["measure"]


def measure(session: Session) -> Report:
    """Measure one history's first half, and the whole."""
    half = 100_000 // session.scale
    first, second = session.pages(half, half)
    names = f"{half:,} crimes", f"{2 * half:,} crimes"
    rounds = take_turns(
        [
            flattening(names[0], PRODUCT, "ours", first),
            flattening(names[1], PRODUCT, "ours", first, second),
        ],
        2 if session.quick else 5,
    )
    rows = [sum(rounds.outcomes[name][0].found["rows"].values()) for name in names]
    peaks = [rounds.peak(name) for name in names]
    slope = (peaks[1] - peaks[0]) * 1e6 / (rows[1] - rows[0])
    return Report(
        title="Memory of flattening",
        notes="Peak of a fresh process, interpreter and imports included; each page's batches are let go. "
        f"Each further row adds {slope:.0f} bytes: the keys already seen.",
        tables=[
            Table(
                ["", "rows", "peak MB"],
                [
                    [name, f"{count:,}", f"{peak:.0f}"]
                    for name, count, peak in zip(names, rows, peaks, strict=True)
                ],
            )
        ],
        verdicts=[
            Verdict("peak for 100,000 crimes", peaks[0], 150, unit=" MB"),
            Verdict("memory per further row", slope, 60, unit=" bytes"),
        ],
        raw={"rows": rows, "slope": slope, **rounds.raw()},
    )
