"""List every way the simulator can misbehave.

``FAULTS`` is the only table of them: the command's help, the admin endpoint and the tests read it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shared.simulator import answer as send
from shared.simulator import mischief, spoilers
from shared.simulator.refusals import TEXTS

if TYPE_CHECKING:
    from shared.simulator.mischief import Act

__all__ = ["FAULTS", "FOREVER", "Fault"]

FOREVER = 10**9  # times a fault strikes when nothing ends it


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Describe one way to misbehave.

    ``amount`` is its one number (seconds, or megabytes; 0 where it has none), ``times`` how often
    it strikes unless told.
    """

    name: str
    description: str
    act: Act
    amount: float = 0
    times: int = 1

    @classmethod
    def named(cls, name: str, *, amount: float | None = None) -> Fault:
        """Find a fault by its name, with another amount if one is given."""
        if name not in FAULTS:
            message = f"no fault is named {name!r}; there are: {', '.join(sorted(FAULTS))}"
            raise ValueError(message)
        return FAULTS[name] if amount is None else replace(FAULTS[name], amount=amount)

    @classmethod
    def error(cls, code: int, *, flat: bool = False) -> Fault:
        """Find the fault that answers Torn's error ``code``."""
        return cls.named(f"{'flat' if flat else 'error'}-{code}")


def _error(code: int, *, flat: bool) -> Fault:
    text = f'Torn\'s error {code} ("{TEXTS[code]}"), HTTP 200' + (
        ", without the outer object" if flat else ""
    )
    name = f"{'flat' if flat else 'error'}-{code}"
    return Fault(name=name, description=text, act=mischief.refused(code, flat=flat))


_HTTP = (
    Fault(
        name="http-429", description="HTTP 429; Retry-After says AMOUNT seconds", act=mischief.busy, amount=1
    ),
    Fault(name="http-500", description="HTTP 500 in HTML", act=mischief.status(500)),
    Fault(name="http-503", description="HTTP 503 in HTML", act=mischief.status(503)),
    Fault(name="html-403", description="Cloudflare's challenge page, HTTP 403", act=mischief.challenge),
    Fault(name="redirect", description="HTTP 302 to another host", act=mischief.redirect),
)
_NETWORK = (
    Fault(
        name="timeout", description="no answer for AMOUNT seconds", act=mischief.sent(send.never), amount=3600
    ),
    Fault(
        name="slow",
        description="the body in drips, over AMOUNT seconds",
        act=mischief.sent(send.dripped),
        amount=2,
    ),
    Fault(name="cut", description="connection closed in the middle of the body", act=mischief.sent(send.cut)),
    Fault(name="reset", description="connection reset before any byte", act=mischief.sent(send.reset)),
    Fault(
        name="huge-body",
        description="the true body and more than AMOUNT megabytes of white space, chunked",
        act=mischief.sent(send.padded),
        amount=64,
    ),
)
_BODY = (
    Fault(name="truncated", description="HTTP is complete, the JSON in it is not", act=mischief.truncated),
    Fault(name="non-json", description="HTTP 200 with plain words", act=mischief.not_json),
    Fault(name="empty-body", description="HTTP 200 with nothing", act=mischief.empty),
    Fault(
        name="wrong-type",
        description='one record: difficulty "7" (items: circulation)',
        act=mischief.spoiled(spoilers.text_number),
    ),
    Fault(
        name="wrong-type-id", description="one record: id 7.5", act=mischief.spoiled(spoilers.fractional_id)
    ),
    Fault(
        name="wrong-type-nested",
        description='one record: rewards.payout.percentage "80" (items: value.market_price)',
        act=mischief.spoiled(spoilers.nested_text),
    ),
    Fault(
        name="surrogate",
        description=r"one record: a lone \ud800 in its name",
        act=mischief.spoiled(spoilers.lone_surrogate),
    ),
    Fault(
        name="huge-int",
        description="one record: previous_crime_id is 2**63 (items: circulation)",
        act=mischief.spoiled(spoilers.huge_integer),
    ),
    Fault(name="missing-key", description="one record without id", act=mischief.spoiled(spoilers.lose_id)),
    Fault(
        name="unknown-field",
        description="new fields: at the top, in one record, in its slots[].user",
        act=mischief.spoiled(spoilers.add_fields),
    ),
    Fault(
        name="null-list",
        description="slots null in one record, rewards.items missing in another",
        act=mischief.spoiled(spoilers.null_lists),
    ),
)
_PAGES = (
    Fault(
        name="other-host",
        description="the next link leads to another host",
        act=mischief.paged(mischief.other_host),
    ),
    Fault(
        name="endless-same",
        description="the first page again and again, always with a next link",
        act=mischief.paged(mischief.endless_same),
        times=FOREVER,
    ),
    Fault(
        name="endless-new",
        description="ever new records, always with a next link",
        act=mischief.paged(mischief.endless_new),
        times=FOREVER,
    ),
    Fault(
        name="repeat-page",
        description="each page after the first shows its predecessor's records",
        act=mischief.paged(mischief.repeat_page),
        times=FOREVER,
    ),
)
_ERRORS = tuple(_error(code, flat=flat) for flat in (False, True) for code in TEXTS)

FAULTS: dict[str, Fault] = {fault.name: fault for fault in (*_ERRORS, *_HTTP, *_NETWORK, *_BODY, *_PAGES)}
