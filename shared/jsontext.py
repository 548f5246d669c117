"""JSON that strict decoders refuse whole: lone surrogates, invalid UTF-8, huge integers."""

from __future__ import annotations

import codecs
import json
from typing import Any

__all__ = ["dump_ascii", "parse_forgiving"]


def parse_forgiving(body: bytes) -> Any:
    """Parse JSON as the standard library does, which keeps what strict decoders refuse.

    Raises:
        ValueError: not JSON at all, or nested too deeply.
    """
    try:
        text = body.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")
        return json.loads(text, parse_int=_integer)
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None


def dump_ascii(value: object) -> str:
    """Write a parsed value as ASCII JSON, so that any surrogate in it survives as an escape."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def _integer(digits: str) -> float:
    try:
        return int(digits)
    except ValueError:
        # Thousands of digits: infinity, which no column takes, so that this record alone is refused.
        return float(digits)
