"""The simulator as a process: one line when it hears, a clean end by either signal."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

ROOT = Path(__file__).resolve().parents[2]


def process(arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", f"from shared.simulator import serve; serve({arguments})"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_announces_itself_serves_and_ends(number: signal.Signals) -> None:
    """URL and key stand in one line that is there at once; the end has exit code 0 and no traceback."""
    with process("seed=3, crimes=40, speed=60, faults=['error-17@items'], prices='shops'") as running:
        try:
            assert running.stdout
            line = running.stdout.readline()
            found = re.fullmatch(r"TORN_API_URL=(http://127\.0\.0\.1:\d+/v2) TORN_API_KEY=(\w{16})\n", line)
            assert found, line
            url, key = found.groups()
            answers = []
            for path in ("/torn/items", "/torn/items", "/faction/crimes?limit=100"):
                with urlopen(
                    Request(f"{url}{path}", headers={"Authorization": f"ApiKey {key}"}), timeout=10
                ) as reply:
                    answers.append(json.loads(reply.read()))
            running.send_signal(number)
            output, errors = running.communicate(timeout=10)
        finally:
            running.kill()
    assert answers[0]["error"]["code"] == 17
    assert "shops" in answers[1]["items"][0]["value"]
    assert len(answers[2]["crimes"]) >= 40
    assert (running.returncode, output, errors) == (0, "", "")


def test_it_serves_several_factions() -> None:
    """Each key that it was given sees its own faction; the announced one is the first."""
    keys = ["AAAAbbbbCCCCdd01", "AAAAbbbbCCCCdd02"]
    with process(f"factions={{{keys[0]!r}: 1, {keys[1]!r}: 2}}") as running:
        try:
            assert running.stdout
            url, key = (word.partition("=")[2] for word in running.stdout.readline().split())
            found = []
            for each in keys:
                wish = Request(f"{url}/faction/basic", headers={"Authorization": f"ApiKey {each}"})
                with urlopen(wish, timeout=10) as reply:
                    found.append(json.loads(reply.read())["basic"]["id"])
            running.send_signal(signal.SIGTERM)
            running.communicate(timeout=10)
        finally:
            running.kill()
    assert key == keys[0]
    assert len(set(found)) == 2


@pytest.mark.parametrize("arguments", ["faults=['nonsense']", "replay=['/does/not/exist.json']"])
def test_a_mistake_is_told_before_anything_is_served(arguments: str) -> None:
    """A fault or a file that does not exist ends it at once, without the line."""
    with process(arguments) as running:
        output, errors = running.communicate(timeout=10)
    assert running.returncode != 0
    assert output == ""
    assert "Error" in errors
