"""Pub/Sub messages: what a fan-out sends, one message per account, and what a person does.

``PUBSUB_EMULATOR_HOST`` leads to the emulator, as it does for Google's own client.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from shared.errors import FixConfiguration, RetrySoon

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.message import Part

__all__ = ["EMULATOR", "Publisher"]

EMULATOR = "PUBSUB_EMULATOR_HOST"
#: A request takes 1,000 messages and 10 MB; ours are at most 64 kB each, nearly always some 100 bytes.
_AT_ONCE = 100


class Publisher:
    """Publishes messages; its client is made with the first."""

    def __init__(self, *, timeout: float = 10.0, environ: Mapping[str, str] = os.environ) -> None:
        self._timeout = timeout
        self._emulator = environ.get(EMULATOR, "")
        self._client: Any = None

    def publish(self, topic: str, messages: Sequence[Part]) -> None:
        """Publish a fan-out's messages to ``projects/P/topics/T``.

        Raises:
            FixConfiguration: the topic does not exist, or this function may not publish to it.
            RetrySoon: Pub/Sub did not take all of them; some may have been published.
        """
        # 300 ms of imports, paid only by a run that fans out.
        from google.api_core import exceptions  # noqa: PLC0415
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

        try:
            self.send(topic, messages)
        except (exceptions.NotFound, exceptions.PermissionDenied, exceptions.InvalidArgument) as error:
            raise FixConfiguration(
                f"one message per account cannot be published to {topic}: {error.message}",
                next_step="grant this function's account roles/pubsub.publisher on its own topic",
            ) from error
        except (exceptions.GoogleAPICallError, exceptions.RetryError, GoogleAuthError) as error:
            raise RetrySoon(
                f"Pub/Sub did not take the messages for {topic}: {error}",
                next_step="nothing: delivered again, it publishes all of them, and no run is made twice",
            ) from error

    def send(self, topic: str, messages: Sequence[Part]) -> list[str]:
        """Publish to ``projects/P/topics/T`` and return the messages' ids; errors are Google's own."""
        from google.api_core import exceptions, retry  # noqa: PLC0415

        again = retry.Retry(
            predicate=retry.if_exception_type(exceptions.ServiceUnavailable, exceptions.ResourceExhausted),
            initial=0.2,
            maximum=2.0,
            timeout=self._timeout,
        )
        ids: list[str] = []
        for begin in range(0, len(messages), _AT_ONCE):
            batch = [
                {"data": m.data, "attributes": dict(m.attributes)} for m in messages[begin : begin + _AT_ONCE]
            ]
            answer = self._open().publish(topic=topic, messages=batch, retry=again, timeout=self._timeout)
            ids += answer.message_ids
        return ids

    def _open(self) -> Any:
        if self._client is None:
            # The generated client publishes a list in one call; the other adds threads of its own.
            from google.pubsub_v1 import PublisherClient  # noqa: PLC0415
            from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport  # noqa: PLC0415

            if self._emulator:
                import grpc  # type: ignore[import-untyped]  # noqa: PLC0415

                channel = grpc.insecure_channel(self._emulator)
                self._client = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
            else:
                self._client = PublisherClient()
        return self._client
