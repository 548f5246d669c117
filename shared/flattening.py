"""The flattening of one run: every request's pages, and what was found in all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared import torn
from shared.derive import Derivation
from shared.errors import TooManyRejected
from shared.flatten import Flat, Flattener
from shared.quality import Quality

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from shared.derive import Derive
    from shared.endpoint import Endpoint
    from shared.isolate import Drift, Rejected

__all__ = ["Flattening"]

#: Bytes of pages that are flattened together: as many as the processor's cache holds with their objects.
_GROUP = 450_000


class Flattening:
    """The flattening of one run: a flattener per request, and what they found together."""

    def __init__(self, endpoint: Endpoint, constants: dict[str, Any], derive: Derive | None = None) -> None:
        self.quality = Quality()
        self._derivation = Derivation(endpoint, derive, self.quality)
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

    def pages(self, pages: Iterable[tuple[str, bytes, datetime]]) -> Iterator[Flat]:
        """Flatten pages, the one read last first, a few of one request at a time."""
        group: list[tuple[bytes, datetime]] = []
        asked, size = "", 0
        for request, body, moment in pages:
            if group and (request != asked or size + len(body) > _GROUP):
                yield from self._group(asked, group)
                group, size = [], 0
            group.append((body, moment))
            asked, size = request, size + len(body)
        if group:
            yield from self._group(asked, group)
        derived = self._derivation.finish()
        if derived:
            yield Flat(derived)

    def _group(self, request: str, group: list[tuple[bytes, datetime]]) -> Iterator[Flat]:
        for flat in self._flatteners[request].pages(group, self._constants):
            self.rejected += flat.rejected
            flat.batches = self._derivation.hold(flat.batches)
            yield flat

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
