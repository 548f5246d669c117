"""``--since``: how long ago, or a moment."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

from shared.schedule import utc

__all__ = ["in_words", "since_option"]

_AGO = re.compile(r"(?:(\d{1,4})w)?(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?")


def since_option(text: str | None, usual: timedelta) -> datetime:
    """Return the moment that ``--since`` names, such as ``1h``, ``2d12h`` or ``2026-11-20T10:00Z``.

    Raises:
        click.BadParameter: it is neither, or still to come.
    """
    now = datetime.now(UTC)
    if text is None:
        return now - usual
    text = text.strip()
    ago = _AGO.fullmatch(text.lower()) if text else None
    try:
        if ago:
            weeks, days, hours, minutes, seconds = (int(part or 0) for part in ago.groups())
            found = now - timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        else:
            found = utc(text)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(
            f"{text[:80]!r} is neither how long ago, such as 30m, 1h or 2d, nor a moment, such as 2026-11-20 "
            "or 2026-11-20T10:00Z",
            param_hint="--since",
        ) from error
    if found > now:
        raise click.BadParameter(f"{in_words(found)} is still to come", param_hint="--since")
    return found


def in_words(when: datetime) -> str:
    """Write a moment as a person reads it."""
    return f"{when:%Y-%m-%d %H:%M:%S} UTC"
