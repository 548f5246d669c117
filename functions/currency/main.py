"""Collect the price of points. What no single listing tells, the market's lowest price, is made here."""

import functions_framework
import pyarrow.compute as pc
from cloudevents.http import CloudEvent

from shared.collector import Collector
from shared.derive import Derived, Rows


def derive(rows: Rows) -> Derived:
    """Name the currency; its price is the cheapest listing's, NULL when nobody sells."""
    listings = rows["currency_listings"]
    return {
        "currency": {
            "currency_id": 1,
            "name": "Points",
            "buy_price": pc.min(listings["cost"]),
            "circulation": pc.sum(listings["quantity"], min_count=0),
        }
    }


collector = Collector.of(__file__, derive=derive)


@functions_framework.cloud_event
def currency(event: CloudEvent) -> None:
    """Collect what one Pub/Sub message asks for."""
    collector.handle(event)
