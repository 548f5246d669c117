"""Collect what the faction is. What other requests than /faction/basic tell of it is counted here."""

import functions_framework
import pyarrow as pa
import pyarrow.compute as pc
from cloudevents.http import CloudEvent

from shared.collector import Collector
from shared.derive import Derived, Rows


def derive(rows: Rows) -> Derived:
    """Count territories and raids; take the non-aggression pact that holds longest."""
    territories = rows["basic_territories"]
    won, lost = raids(rows["basic_raids"], rows["basic"]["faction_id"][0] if rows["basic"].num_rows else None)
    pacts = rows["basic_pacts"].sort_by([("until", "descending")])
    return {
        "basic": {
            "territory_count": territories.num_rows,
            "territory_respect": pc.sum(territories["respect"], min_count=0),
            "raid_won": won,
            "raid_lost": lost,
            "peace_expiry": pacts["until"][0] if pacts.num_rows else None,
            "peace_faction_id": pacts["faction_id"][0] if pacts.num_rows else None,
        }
    }


def raids(ended: pa.Table, faction: pa.Scalar | None) -> tuple[int, int]:
    """Count the raids that the faction won and lost: those that ended, by the higher score."""
    ended = ended.filter(pc.is_valid(ended["ended_at"]))
    attacked = pc.equal(ended["aggressor_id"], faction)
    margin = pc.subtract(ended["aggressor_score"], ended["defender_score"])
    margin = pc.if_else(attacked, margin, pc.negate(margin))
    return (
        pc.sum(pc.greater(margin, 0), min_count=0).as_py(),
        pc.sum(pc.less(margin, 0), min_count=0).as_py(),
    )


collector = Collector.of(__file__, derive=derive)


@functions_framework.cloud_event
def basic(event: CloudEvent) -> None:
    """Collect what one Pub/Sub message asks for."""
    collector.handle(event)
