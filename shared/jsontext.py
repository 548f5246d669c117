"""JSON that strict decoders refuse whole: lone surrogates, invalid UTF-8, huge integers."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["dump_ascii", "parse_forgiving"]


def parse_forgiving(body: bytes) -> Any:
    """Parse JSON as the standard library does, which keeps what strict decoders refuse.

    Raises:
        ValueError: not JSON at all, or nested too deeply.
    """
    try:
        return json.loads(body.decode("utf-8", "surrogateescape"))
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None


def dump_ascii(value: object) -> str:
    """Write a parsed value as ASCII JSON, so that any surrogate in it survives as an escape."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))
