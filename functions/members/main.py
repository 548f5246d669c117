"""Collect the faction's members; everything about them is in endpoint.yaml."""

import functions_framework
from cloudevents.http import CloudEvent

from shared.collector import Collector

collector = Collector.of(__file__)


@functions_framework.cloud_event
def members(event: CloudEvent) -> None:
    """Collect what one Pub/Sub message asks for."""
    collector.handle(event)
