"""List the territories the faction ever had to do with, and what does not change about them.

The ids are real; where they lie and what they bring is this city's.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.simulator.chance import between, whole

__all__ = ["CONTESTED", "HOME", "LANDS", "Land"]


@dataclass(frozen=True, slots=True)
class Land:
    """Describe a territory."""

    id: str
    sector: int
    size: int
    density: int
    slots: int
    respect: int
    x: float
    y: float


def _land(name: str) -> Land:
    return Land(
        id=name,
        sector=whole(1, 7, name, "sector"),
        size=whole(3, 40, name, "size"),
        density=whole(1, 20, name, "density"),
        slots=whole(4, 30, name, "slots"),
        respect=whole(5, 120, name, "respect"),
        x=round(between(0, 6_000, name, "x"), 2),
        y=round(between(0, 4_000, name, "y"), 2),
    )


HOME = ("AAG", "BWC")  # nobody attacks these
CONTESTED = ("DRD", "FME", "HJC", "JFC", "LBD", "MWG", "OSC", "QOD", "SKC", "UGA", "WBE", "XXB", "ZTB")
LANDS: dict[str, Land] = {name: _land(name) for name in (*HOME, *CONTESTED)}
