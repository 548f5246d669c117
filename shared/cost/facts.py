"""The dated facts that everything here multiplies: prices, limits, what a run takes, what is installed."""

from __future__ import annotations

import tomllib
from datetime import date  # noqa: TC003 - the decoder looks it up
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

__all__ = [
    "ASSUMED",
    "INSTALLATION",
    "LIMITS",
    "PRICES",
    "Alerts",
    "Assumed",
    "Installation",
    "Limits",
    "Metric",
    "Metrics",
    "Price",
    "Prices",
    "Quota",
    "Stale",
    "facts",
]

_HERE = Path(__file__).resolve().parent


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Price(_Strict, frozen=True):
    """What ``per`` units cost, beyond the ``free`` ones of a month."""

    service: str
    amount: Annotated[float, msgspec.Meta(ge=0)]
    per: Annotated[int, msgspec.Meta(ge=1)]
    unit: str
    free: Annotated[int, msgspec.Meta(ge=0)]
    source: str
    #: The item whose free units, as far as it leaves them, are free here too.
    rest_of: str | None = None

    def cost(self, quantity: float) -> float:
        """Return what a quantity costs at the list price."""
        return quantity * self.amount / self.per


class Prices(msgspec.Struct, frozen=True):
    """Every price by its item's name, the day it was read, and where it holds."""

    date: date
    currency: str
    region: str
    items: dict[str, Price]


class Quota(_Strict, frozen=True):
    """What nobody may exceed, or what is billed at least."""

    amount: Annotated[int, msgspec.Meta(ge=1)]
    unit: str
    source: str


class Limits(_Strict, frozen=True):
    """Every quota by its name, and the share of a CPU that comes with a memory size."""

    date: date
    quotas: dict[str, Quota]
    vcpu: dict[str, float]

    def amount(self, name: str) -> int:
        """Return a quota's number."""
        return self.quotas[name].amount


class Assumed(_Strict, frozen=True):
    """What no laptop can measure, see figures.toml."""

    page_seconds: float
    load_seconds: float
    statement_seconds: float
    stream_seconds: float
    record_seconds: float
    start_seconds: float
    divide_seconds: float
    rows: int
    page_bytes: int
    pack_ratio: float
    text_bytes: int
    backups: int
    ledger_row_bytes: int
    job_seconds: float
    record_bytes: int
    request_bytes: int
    read_bytes: int
    image_bytes: int


class Metric(_Strict, frozen=True):
    """A metric made from log lines: what its points are, and whether accounts have series of their own."""

    kind: Literal["counter", "distribution"]
    by_account: bool


class Metrics(_Strict, frozen=True):
    """What a run and a job add to, when they go well."""

    run: dict[str, Metric]
    job: dict[str, Metric]


class Stale(_Strict, frozen=True):
    """How often it is looked whether successes fail to come."""

    seconds: int
    seconds_below_an_hour: int


class Alerts(_Strict, frozen=True):
    """How often alert policies look, and how many series they see."""

    seconds: int
    series: dict[str, Literal["none", "one", "each"]]
    stale: Stale


class Installation(_Strict, frozen=True):
    """What Terraform makes besides each endpoint's own, see installation.toml."""

    date: date
    images_kept: int
    rotation_days: int
    log_retention_days: int
    alerts: Alerts
    metrics: Metrics


@cache
def facts(name: Literal["figures", "installation", "limits", "prices"]) -> dict[str, Any]:
    """Return one of the data files."""
    return tomllib.loads((_HERE / f"{name}.toml").read_text(encoding="utf-8"))


def _prices() -> Prices:
    said = dict(facts("prices"))
    head = {name: said.pop(name) for name in ("date", "currency", "region")}
    return msgspec.convert({**head, "items": said}, Prices)


PRICES = _prices()
LIMITS = msgspec.convert(facts("limits"), Limits)
INSTALLATION = msgspec.convert(facts("installation"), Installation)
ASSUMED = msgspec.convert(facts("figures")["assumed"], Assumed)
