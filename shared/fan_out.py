"""One message for every account becomes one message per account.

In the cloud, and with the Pub/Sub emulator, each is published to the topic that the message came
from. Anywhere else each is collected at once, one after the other. Either way a part's run is named
after the message that was divided, so that a fan-out that is killed midway and delivered again
makes no run twice.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from shared.errors import CollectError, FixConfiguration
from shared.logs import log
from shared.message import divide

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shared.message import Event, Part, Request
    from shared.publisher import Publisher
    from shared.settings import Account

__all__ = ["FanOut"]

_SOURCE = re.compile(r"//pubsub\.googleapis\.com/(projects/[^/\s]+/topics/[^/\s]+)")


class FanOut:
    """Divides messages; ``publisher`` is None where each part is collected here."""

    def __init__(self, publisher: Publisher | None, collect: Callable[[Event], object]) -> None:
        self._publisher = publisher
        self._collect = collect

    def send(self, request: Request, accounts: Mapping[str, Account], event: Event) -> None:
        """Publish, or collect, one part per account.

        Raises:
            CollectError: a part could not be published, or, of those collected here, the first that failed
                in a way that the next delivery may cure.
        """
        parts = divide(request, accounts, event)
        if self._publisher is not None:
            self._publisher.publish(_topic(event), parts)
            log.info("published one message for each of %d accounts", len(parts))
            return
        failed: list[CollectError] = []
        for number, part in enumerate(parts):
            try:
                self._collect(_Here(request, number, part))
            except CollectError as error:
                failed.append(error)
        if failed:
            raise failed[0]


class _Here(dict[str, Any]):
    """A part as Pub/Sub would push it."""

    def __init__(self, request: Request, number: int, part: Part) -> None:
        super().__init__(id=f"{request.message_id}-{number}", time=request.published_at.isoformat())
        self.data = {
            "message": {"data": part.encoded, "messageId": self["id"], "attributes": part.attributes}
        }


def _topic(event: Event) -> str:
    try:
        match = _SOURCE.fullmatch(str(event["source"]))
    except KeyError:
        match = None
    if match is None:
        raise FixConfiguration(
            "the message names no account, there are several, and its source is no topic to publish to",
            next_step="push to /projects/PROJECT/topics/TOPIC, or name the account in the message",
        )
    return match[1]
