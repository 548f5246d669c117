"""Show the faction's members as ``/faction/members`` does, at any moment."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from shared.simulator.actions import last_action, worded
from shared.simulator.chance import among, between, draw, whole
from shared.simulator.duties import duties
from shared.simulator.roster import COUNCIL
from shared.simulator.states import State, state
from shared.simulator.territory_wars import on_walls

if TYPE_CHECKING:
    from shared.simulator.paging import Ask
    from shared.simulator.roster import Tenure
    from shared.simulator.world import World

__all__ = ["list_members"]

_DAY = 86_400
_TRIAL_DAYS = 14
_COUNCIL_POSITIONS = ("Leader", "Co-leader", "Council", "Council", "Banker", "Banker", "Council", "Recruiter")
_POSITIONS = ("Member", "Member", "Member", "Enforcer", "Sniper", "Medic", "Planner")
_SETTINGS = ("No one", "No one", "Friends & faction", "Everyone")
_TAG = re.compile(r"<[^>]*>")


def list_members(world: World, ask: Ask, now: int) -> dict[str, object]:
    """Answer ``/faction/members``: those who are members now, by id; without HTML unless it is asked for."""
    plain = ask.choice("striptags", ("true", "false"), "true") == "true"
    busy, fighting = duties(world, now), on_walls(world, now)
    members = []
    for tenure in world.roster.present(now):
        found = state(tenure.person, busy.confined.get(tenure.id), now)
        if plain and found.details:
            found = replace(found, details=_TAG.sub("", found.details))
        acted = max(last_action(tenure.person, now), tenure.joined_at, busy.joined.get(tenure.id, 0))
        members.append(
            _member(tenure, now, acted, found)
            | {"is_on_wall": tenure.id in fighting, "is_in_oc": tenure.id in busy.joined}
        )
    return {"members": members}


def _member(tenure: Tenure, now: int, acted: int, found: State) -> dict[str, object]:
    person, days = tenure.person, (now - tenure.joined_at) // _DAY
    setting = among(_SETTINGS, person, "revives", (now + whole(0, 30 * _DAY, person)) // (30 * _DAY))
    status: dict[str, object] = {
        "description": found.description,
        "details": found.details,
        "state": found.state,
        "color": found.color,
        "until": found.until,
    }
    if found.plane is not None:
        status["plane_image_type"] = found.plane
    return {
        "id": tenure.id,
        "name": person.name(now),
        "position": _position(tenure, days),
        "level": _level(tenure, days),
        "days_in_faction": days,
        "is_revivable": setting == "Everyone",
        "is_on_wall": False,
        "is_in_oc": False,
        "has_early_discharge": found.state == "Hospital" and draw(person, "discharge", found.until) < 0.25,  # noqa: PLR2004
        "last_action": worded(acted, now),
        "status": status,
        "revive_setting": setting,
    }


def _position(tenure: Tenure, days: int) -> str:
    if tenure.person.chair < COUNCIL:
        return _COUNCIL_POSITIONS[tenure.person.chair]
    return "Recruit" if days < _TRIAL_DAYS else among(_POSITIONS, tenure.person, "position")


def _level(tenure: Tenure, days: int) -> int:
    """Tell the level: it never falls, and rises by one in 15 to 60 days, up to 100."""
    person = tenure.person
    return min(100, whole(8, 75, person, "level") + int(days / between(15, 60, person, "pace of levels")))
