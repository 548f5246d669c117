"""A message's body, as options of a command give it."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["message_body"]

_SECONDS = 12  # digits; what has more is no number of seconds, and said to be none by whoever reads it


def message_body(params: tuple[str, ...], begin: str | None, end: str | None) -> dict[str, Any]:
    """Return what ``--set NAME=VALUE``, ``--from`` and ``--to`` make of a message.

    Raises:
        click.BadParameter: a parameter without its value.
    """
    body: dict[str, Any] = {}
    for text in params:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{text[:80]!r} is not NAME=VALUE", param_hint="--set")
        body.setdefault("params", {})[name] = value
    for key, given in (("from", begin), ("to", end)):
        if given is not None:
            seconds = given.isdecimal() and len(given) <= _SECONDS
            body[key] = int(given) if seconds else given
    return body
