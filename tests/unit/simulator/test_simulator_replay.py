"""Recorded bodies come back byte for byte, behind the same door and with the same faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from shared.simulator import Replay

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ITEMS = b'{ "items": [ {"id": 1, "name": "\xc3\xa9\\ud800", "big": 9223372036854775808},\n {"id": 2.50} ] }\n'
CRIMES = b'{"_metadata": {"links": {"next": null}}, "crimes": []}'


def test_bodies_come_back_byte_for_byte(tmp_path: Path, ask: Callable[..., Any]) -> None:
    """Nothing is parsed and written again: white space, escapes and odd numbers stay."""
    (tmp_path / "one.json").write_bytes(ITEMS)
    (tmp_path / "two.json").write_bytes(CRIMES)
    with Replay([tmp_path / "one.json", str(tmp_path / "two.json")]) as replay:
        assert ask(replay, "/torn/items?cat=All&timestamp=1").body == ITEMS
        assert ask(replay, "/torn/1,2/items?timestamp=2").body == ITEMS
        assert ask(replay, "/faction/crimes?limit=100").body == CRIMES
        assert replay.url.startswith("http://127.0.0.1:")


def test_the_path_can_be_said(tmp_path: Path, ask: Callable[..., Any]) -> None:
    """``SEGMENT=FILE`` needs no JSON at all."""
    (tmp_path / "strange=name.txt").write_bytes(b"not json")
    with Replay([f"balance={tmp_path / 'strange=name.txt'}"]) as replay:
        assert ask(replay, "/faction/balance").body == b"not json"


def test_a_path_without_a_recording_is_refused(tmp_path: Path, ask: Callable[..., Any]) -> None:
    """It is Torn's error 4; keys and budget are as ever."""
    (tmp_path / "one.json").write_bytes(ITEMS)
    with Replay([tmp_path / "one.json"], calls_per_minute=2) as replay:
        assert ask(replay, "/faction/crimes").json["error"]["code"] == 4
        assert ask(replay, "/torn/items", key="").json["error"]["code"] == 1
        assert ask(replay, "/torn/items").body == ITEMS
        assert ask(replay, "/torn/items").json["error"]["code"] == 5


def test_faults_strike_recordings(tmp_path: Path, ask: Callable[..., Any]) -> None:
    """A fault spoils one answer; the recording stays as it is."""
    (tmp_path / "one.json").write_bytes(ITEMS)
    with Replay([tmp_path / "one.json"]) as replay:
        replay.faults.add("items", "missing-key")
        first, second = ask(replay, "/torn/items").json["items"]
        assert (first["id"], "id" in second) == (1, False)
        assert ask(replay, "/torn/items").body == ITEMS


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"_metadata": {}}'])
def test_a_body_that_names_nothing_is_refused(tmp_path: Path, body: bytes) -> None:
    """A recording that does not say what it answers is told at the start."""
    (tmp_path / "one.json").write_bytes(body)
    with pytest.raises(ValueError, match="SEGMENT="):
        Replay([tmp_path / "one.json"])
