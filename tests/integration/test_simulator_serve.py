"""The simulator as a process: one line when it hears, a clean end by either signal."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import duckdb
import pytest
from support.processes import BIN, Process, environment, until

from shared.keys import variable
from shared.simulator.world import World

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


def said(line: str) -> dict[str, str]:
    """Read the announcement as a shell does."""
    return dict(word.partition("=")[::2] for word in shlex.split(line))


def test_it_serves_several_factions() -> None:
    """Each key that it was given sees its own faction, whose id the announcement gives its account."""
    keys = ["AAAAbbbbCCCCdd01", "AAAAbbbbCCCCdd02"]
    with process(f"factions={{{keys[0]!r}: 1, {keys[1]!r}: 2}}") as running:
        try:
            assert running.stdout
            settings = said(running.stdout.readline())
            found = []
            for each in keys:
                wish = Request(
                    f"{settings['TORN_API_URL']}/faction/basic", headers={"Authorization": f"ApiKey {each}"}
                )
                with urlopen(wish, timeout=10) as reply:
                    found.append(json.loads(reply.read())["basic"]["id"])
            running.send_signal(signal.SIGTERM)
            running.communicate(timeout=10)
        finally:
            running.kill()
    accounts = json.loads(settings.pop("ACCOUNTS"))
    assert [account["faction_id"] for account in accounts.values()] == found
    assert len(set(found)) == 2
    assert [settings[variable(account["key"])] for account in accounts.values()] == keys


def simulating(folder: Path, *options: str) -> Process:
    """Start the command."""
    command = [BIN / "tcdatalogger", "simulate", "--port", "0", *options]
    return Process(command, folder=folder, env=environment())


@pytest.mark.parametrize(
    "factions", [{"AAAAbbbbCCCCdd01": 11}, {"AAAAbbbbCCCCdd01": 11, "AAAAbbbbCCCCdd02": 12}]
)
def test_what_it_announces_can_be_put_before_a_command(factions: dict[str, int], tmp_path: Path) -> None:
    """The line, typed before ``tcdatalogger run``, collects every faction that ``--faction`` named."""
    options = [word for key, seed in factions.items() for word in ("--faction", f"{key}={seed}")]
    with simulating(tmp_path / "process", *options) as running:
        line = until(lambda: running.stdout.partition("\n")[0], what="the announcement")
        done = subprocess.run(
            ["/bin/sh", "-c", f"{line} exec {BIN / 'tcdatalogger'} run basic --json"],
            env=environment(WAREHOUSE=f"duckdb:{tmp_path}/db", ARCHIVE=f"file:{tmp_path}/archive"),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    runs = json.loads(done.stdout)
    names = ["default"] if len(factions) == 1 else ["faction-1", "faction-2"]
    assert [(run["account"], run["outcome"]) for run in runs] == [(name, "ok") for name in names]
    with duckdb.connect(f"{tmp_path}/db", read_only=True) as connection:
        found = connection.execute("SELECT faction_id FROM basic ORDER BY _account").fetchall()
    assert [row[0] for row in found] == [World(seed=seed, start=0).faction_id for seed in factions.values()]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--faction", "ZZZZyyyyXXXXww01"], "number 1 is not KEY=SEED"),
        (["--faction", "ZZZZyyyyXXXXww01=eleven"], "number 1 is not KEY=SEED"),
        (["--faction", "ZZZZyyyyXXXXww01=1", "--faction", "short=2"], "number 2 is not KEY=SEED"),
        (["--faction", "ZZZZyyyyXXXXww01=1", "--faction", "ZZZZyyyyXXXXww01=2"], "the key of another"),
        (["--faction", "ZZZZyyyyXXXXww01=1", "--replay", "items.json"], "not both"),
    ],
)
def test_a_faction_of_a_wrong_form_is_told(options: list[str], says: str, tmp_path: Path) -> None:
    """It ends as called wrongly, says which one and what is right, and repeats nothing that may be a key."""
    with simulating(tmp_path, *options) as running:
        assert running.wait() == 2
        told = " ".join(running.stderr.replace("│", " ").split())
        assert running.stdout == ""
    assert says in told
    assert "ZZZZyyyy" not in told
    assert "Traceback" not in told


@pytest.mark.parametrize("arguments", ["faults=['nonsense']", "replay=['/does/not/exist.json']"])
def test_a_mistake_is_told_before_anything_is_served(arguments: str) -> None:
    """A fault or a file that does not exist ends it at once, without the line."""
    with process(arguments) as running:
        output, errors = running.communicate(timeout=10)
    assert running.returncode != 0
    assert output == ""
    assert "Error" in errors
