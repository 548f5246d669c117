"""Text from outside, made fit for a path, a table or a log line."""

from __future__ import annotations

import hashlib
import re

__all__ = ["safe_name", "shown", "written"]

_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


def safe_name(name: str) -> str:
    """Return a name that can stand in a path and a table; different names stay different."""
    if _SAFE.fullmatch(name):
        return name
    # The @ stands in no name that is kept as it is, so that none can be made to look like this.
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{_UNSAFE.sub('-', name[:60])}@{digest}"


def shown(what: object, length: int = 60) -> str:
    """Return the beginning of what a message holds, fit for a table and a log line."""
    return str(what)[:length].encode("ascii", "backslashreplace").decode().replace("\x00", "\\x00")


def written(value: object) -> str:
    """Write a parameter's value as it stands in a URL."""
    return str(value).lower() if isinstance(value, bool) else str(value)
