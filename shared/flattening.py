"""The flattening of one run: every request's pages, and what was found in all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared import torn
from shared.errors import TooManyRejected
from shared.flatten import Flattener
from shared.quality import Quality

if TYPE_CHECKING:
    from datetime import datetime

    from shared.endpoint import Endpoint
    from shared.flatten import Flat
    from shared.isolate import Drift, Rejected

__all__ = ["Flattening"]


class Flattening:
    """The flattening of one run: a flattener per request, and what they found together."""

    def __init__(self, endpoint: Endpoint, constants: dict[str, Any]) -> None:
        self.quality = Quality()
        self.rejected: list[Rejected] = []
        self._constants = constants
        self._flatteners = {
            name: Flattener(endpoint, name, envelope=torn.ENVELOPE, quality=self.quality)
            for name in endpoint.requests
        }
        self._limit = endpoint.max_rejected

    @property
    def drift(self) -> list[tuple[str, Drift]]:
        """Return the fields nobody declared, with the request that had them."""
        return [(name, one) for name, f in self._flatteners.items() for one in f.drift.values()]

    def page(self, request: str, body: bytes, fetched_at: datetime) -> Flat:
        """Flatten one page and keep count."""
        flat = self._flatteners[request].page(body, {**self._constants, "$fetched_at": fetched_at})
        self.rejected += flat.rejected
        return flat

    def accept(self) -> None:
        """Hold what was rejected against the endpoint's limit.

        Raises:
            TooManyRejected: above it, or nothing good is left.
        """
        rejected, records = len(self.rejected), self.quality.records
        if rejected and (rejected == records or (rejected > 1 and rejected > self._limit * records)):
            raise TooManyRejected(
                f"{rejected} of {records} records are not as declared, the first: "
                f"{self.rejected[0].path}: {self.rejected[0].reason}",
                next_step="compare rejected_rows with endpoint.yaml; the raw answers are in the "
                "archive, and nothing was written",
            )
