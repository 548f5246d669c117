"""Say where a member is at a moment: in the city, in hospital, in jail, in the air or abroad.

Each member's time is cut into blocks of ten hours; in some of them something happens. What a crime did to a
member goes before that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.simulator.chance import among, between, draw, whole

if TYPE_CHECKING:
    from shared.simulator.duties import Confined
    from shared.simulator.people import Person

__all__ = ["State", "state"]

_HOUR = 3_600
_BLOCK = 10 * _HOUR
_CALM_START = 3 * _HOUR  # a block's event begins in its first three hours and is over when it ends
_HOSPITAL, _JAIL, _TRAVEL = 0.22, 0.30, 0.52
_OKAY = "Okay"
_FLIGHTS = {
    "Mexico": 18,
    "Cayman Islands": 25,
    "Canada": 29,
    "Hawaii": 94,
    "United Kingdom": 111,
    "Argentina": 117,
    "Switzerland": 123,
    "Japan": 158,
}
_PLANES = ("airliner", "airliner", "light_aircraft", "private_jet")
_ACCIDENTS = (
    "Crashed a Kestrel 1100",
    "Burnt by a flash bottle",
    "Fell from a tram",
    "Too much Moth Powder",
)
_ARRESTS = ("Caught picking a pocket", "Caught with a lock rake at night", "Caught selling copies of a film")
_ATTACKERS = ("Grimsel", "PaleTooth", "NoonWolf", "Ferrier", "Quicklime")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Say what the API's ``status`` says; ``details`` may hold a link in HTML."""

    state: str = _OKAY
    description: str = _OKAY
    details: str | None = None
    color: str = "green"
    until: int | None = None
    plane: str | None = None


def state(person: Person, confined: Confined | None, now: int) -> State:
    """Tell a person's state at a moment."""
    if confined is not None:
        details = f"{'Hurt' if confined.state == 'Hospital' else 'Arrested'} in {confined.crime}"
        return _confined(confined.state, confined.until, details, now)
    phase = whole(0, _BLOCK - 1, person, "block phase")
    block, into = divmod(now - phase, _BLOCK)
    kind = draw(person, "event", block)
    began = whole(0, _CALM_START - 1, person, "begins", block)
    if kind >= _TRAVEL or into < began:
        return State()
    passed = into - began
    if kind >= _JAIL:
        return _trip(person, block, passed)
    longest = 5 * _HOUR if kind < _HOSPITAL else 2 * _HOUR
    lasts = whole(600, longest, person, "lasts", block)
    if passed >= lasts:
        return State()
    if kind >= _HOSPITAL:
        return _confined("Jail", now - passed + lasts, among(_ARRESTS, person, "why", block), now)
    return _confined("Hospital", now - passed + lasts, _injury(person, block), now)


def _injury(person: Person, block: int) -> str:
    if draw(person, "accident", block) < 0.3:  # noqa: PLR2004
        return among(_ACCIDENTS, person, "why", block)
    number, name = whole(4_000_000, 4_399_999, person, "by", block), among(_ATTACKERS, person, "who", block)
    return f'Hospitalized by <a href="http://www.torn.com/profiles.php?XID={number}">{name}</a>'


def _confined(kind: str, until: int, details: str, now: int) -> State:
    hours, minutes = divmod(-(-(until - now) // 60), 60)
    left = f"{hours} hrs {minutes} mins" if hours else f"{minutes} mins"
    return State(
        state=kind,
        description=f"In {kind.lower()} for {left}",
        details=details,
        color="red",
        until=until,
    )


def _trip(person: Person, block: int, passed: int) -> State:
    """Fly there, stay a while, fly back. The API does not say when a flight lands."""
    country = among(tuple(_FLIGHTS), person, "country", block)
    flight = int(_FLIGHTS[country] * 60 * between(0.7, 1, person, "speed", block))
    stay = whole(300, _HOUR, person, "stay", block)
    if passed >= 2 * flight + stay:
        return State()
    if flight <= passed < flight + stay:
        return State(state="Abroad", description=f"In {country}", color="blue")
    out = passed < flight
    return State(
        state="Traveling",
        description=f"Traveling to {country}" if out else f"Returning to Torn from {country}",
        color="blue",
        plane=among(_PLANES, person, "plane"),
    )
