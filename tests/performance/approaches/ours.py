"""TCdatalogger: pages to three typed, checked record batches, as a run does it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shared.endpoint_file import load_endpoint
from shared.flattening import Flattening
from shared.settings import ROOT

from . import ACCOUNT, FACTION_ID, FETCHED_AT, RUN_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

__all__ = ["ENDPOINT", "flatten", "flattening"]

ENDPOINT = Path(ROOT) / "functions" / "crimes" / "endpoint.yaml"


def flattening() -> Flattening:
    """Return what flattens one run's pages."""
    constants = {"$run_id": RUN_ID, "$account": ACCOUNT, "$faction_id": FACTION_ID}
    return Flattening(load_endpoint(ENDPOINT), constants)


def flatten(pages: Iterable[bytes]) -> Iterator[dict[str, pa.RecordBatch]]:
    """Yield a few pages' batches at a time, and hold the whole against the endpoint's limit."""
    found = flattening()
    for flat in found.pages(("crimes", page, FETCHED_AT) for page in pages):
        yield flat.batches
    found.accept()
