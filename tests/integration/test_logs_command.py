"""`tcdatalogger logs`: the same lines in the same form, from this machine's files and from Cloud Logging."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from support.cloud_logging import CloudLoggingServer, entry_of
from support.processes import BIN, Process, environment, until
from support.terminal import on_terminal

from shared.cli.cloud_logs import CloudLogs
from shared.cli.log_days import LogDays
from shared.cli.log_lines import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.world import World

LABELS = "logging.googleapis.com/labels"
PROJECT = "proj"


class Log:
    """The same lines in both places."""

    def __init__(self, folder: Path, server: CloudLoggingServer) -> None:
        self.folder = folder
        self.server = server
        self._env = {"LOG_FOLDER": str(folder), "HOME": str(folder), "NO_GCE_CHECK": "true"}

    def env(self, *, cloud: bool, **settings: str) -> dict[str, str]:
        """Return the environment in which the command reads from one of them."""
        of_cloud = {"WAREHOUSE": f"bigquery:{PROJECT}.torn", "LOGGING_EMULATOR_HOST": self.server.host}
        return environment(**(self._env | (of_cloud if cloud else {}) | settings))

    def add(self, *lines: str) -> None:
        """Log lines as a function's standard error has them."""
        self.folder.mkdir(exist_ok=True)
        for line in lines:
            found = json.loads(line)
            with (self.folder / f"{found['time'][:10]}.jsonl").open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
            labels = found[LABELS]
            service = (labels.get("endpoint") or labels["job"]).replace("_", "-")
            self.server.add(entry_of(line, service=service, project=PROJECT))

    def ask(self, *words: str, cloud: bool, **settings: str) -> subprocess.CompletedProcess[str]:
        """Type the command; no traceback is ever shown."""
        done = subprocess.run(
            [BIN / "tcdatalogger", "logs", *words],
            env=self.env(cloud=cloud, **settings),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback (most" not in done.stderr
        return done

    def shown(self, *words: str, cloud: bool) -> list[str]:
        """Return what stands on standard output, line by line."""
        done = self.ask(*words, cloud=cloud)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


@pytest.fixture
def server() -> Iterator[CloudLoggingServer]:
    """Give a Cloud Logging that answers three entries a page."""
    with CloudLoggingServer() as running:
        yield running


@pytest.fixture
def log(tmp_path: Path, server: CloudLoggingServer) -> Log:
    """Give a log of both kinds."""
    return Log(tmp_path / "logs", server)


def ago(minutes: float) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()


def line(message: str, *, at: str, severity: str = "INFO", **fields: Any) -> str:
    labels = {k: fields.pop(k) for k in ("run_id", "endpoint") if k in fields}
    return json.dumps({"severity": severity, "time": at, "message": message, LABELS: labels, **fields})


def run_line(run_id: str, *, minutes: float, **fields: Any) -> str:
    return line(f"of {run_id}", at=ago(minutes), run_id=run_id, endpoint=run_id.partition("/")[0], **fields)


def job_line(run_id: str, *, minutes: float) -> str:
    labels = {"run_id": run_id, "job": "backup", "attempt": "a"}
    found = {"severity": "INFO", "time": ago(minutes), "message": f"of {run_id}", LABELS: labels}
    return json.dumps({**found, "job": {"name": "backup", "message_id": "888", "tables": 5}})


def both(log: Log, *words: str) -> list[str]:
    """Return what both places show, which is the same."""
    here, there = log.shown(*words, cloud=False), log.shown(*words, cloud=True)
    assert here == there
    return here


def messages(shown: list[str]) -> list[str]:
    return [one.rpartition(": ")[2] for one in shown]


def test_what_a_real_function_logs_is_the_same_from_both(world: World, log: Log) -> None:
    """Runs that went well, were refused, and failed: line by line, and entry by entry with --json."""
    # Its lines are put where both places have them, below.
    with world.function("items", LOG_FOLDER="none") as function:
        assert function.deliver(message_id="11", timeout=60) == 200
        assert function.deliver(b'{"params": {"no": 1}}', message_id="12") == 200
        world.api.faults.add("items", "error-13", times=10**6)
        assert function.deliver(message_id="13") == 200
        lines = [text for text in function.stderr.splitlines() if text.startswith("{")]
    log.add(*lines)
    shown = both(log)
    assert len(shown) == len(lines) >= 3
    assert [one for one in shown if "items/global/11: ok: " in one]
    assert [one for one in shown if "refused: " in one]
    here, there = log.shown("--json", cloud=False), log.shown("--json", cloud=True)
    assert [json.loads(one) for one in here] == [json.loads(one) for one in lines]
    for mine, theirs in zip(here, there, strict=True):
        other = json.loads(theirs)
        assert other[LABELS].pop("instanceId")
        assert other == json.loads(mine)


def test_a_runs_seconds_are_a_number_on_its_line(world: World) -> None:
    """What a metric is made from: the sum of the steps' seconds, on every outcome's line."""
    with world.function("items") as function:
        assert function.deliver(message_id="11", timeout=60) == 200
        assert function.deliver(b'{"params": {"no": 1}}', message_id="12") == 200
        ok, refused = (one["run"] for one in function.lines() if "run" in one)
    steps = json.loads(ok["seconds"])
    assert set(steps) == {"fetch", "flatten", "write"}
    assert sum(steps.values()) - 1e-3 < ok["duration_seconds"] < 60
    assert 0 <= refused["duration_seconds"] < 60
    assert ok["rows_written"] == sum(json.loads(ok["rows"]).values()) > 0
    assert refused["rows_written"] == 0


@pytest.fixture
def mixed(log: Log) -> Log:
    """Give lines of several runs, endpoints and times, written in no order, and others' beside them."""
    record = {
        "run": {
            "message_id": "777",
            "rows": '{"crimes": 5}',
            "pages": 3,
            "ratio": 0.5,
            "deep": [1, None, True],
        }
    }
    log.add(
        run_line("crimes/red/20261120T1015Z", minutes=20, **record),
        run_line("crimes/red/123", minutes=50, severity="ERROR", stack_trace="Traceback\n  x\nKeyError: 'y'"),
        run_line("crimes/blue/1234", minutes=40),
        run_line("items/global/123", minutes=30, severity="CRITICAL"),
        run_line("crimes/red/99", minutes=90, severity="WARNING"),
        run_line("crimes/red/98", minutes=60 * 24 * 3),
        run_line("crimes/red/97", minutes=60 * 24 * 40),
        line("of nobody", at=ago(10), endpoint="items"),
        job_line("backup/20261120", minutes=5),
    )
    stranger = entry_of(run_line("crimes/red/123", minutes=45), service="crimes", project="another")
    cluster = entry_of(run_line("crimes/red/123", minutes=45), service="crimes", project=PROJECT)
    cluster["resource"]["type"] = "k8s_container"
    log.server.add(stranger, cluster)
    return log


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (
            {},
            [
                "crimes/red/123",
                "crimes/blue/1234",
                "items/global/123",
                "20261120T1015Z",
                "nobody",
                "backup/20261120",
            ],
        ),
        ({"since": 120, "endpoint": "crimes"}, ["99", "123", "1234", "20261120T1015Z"]),
        ({"since": 5000, "errors": True}, ["crimes/red/123", "items/global/123"]),
        ({"run": "crimes/red/123"}, ["crimes/red/123"]),
        ({"run": "123"}, ["crimes/red/123", "crimes/blue/1234", "items/global/123"]),
        ({"run": "123", "endpoint": "items"}, ["items/global/123"]),
        ({"run": "77"}, ["20261120T1015Z"]),
        ({"run": "88"}, ["backup/20261120"]),
        ({"run": "backup/20261120"}, ["backup/20261120"]),
        ({"endpoint": "backup"}, ["backup/20261120"]),
        ({"run": "9", "since": 120}, ["99"]),
        ({"run": "9", "since": 60_000}, ["97", "98", "99"]),
        ({"run": "crimes/red/1", "since": 60_000}, []),
        ({"run": "crimes/red/.*", "since": 60_000}, []),
        ({"endpoint": "crimes", "errors": True, "since": 35}, []),
    ],
)
def test_both_places_give_the_wanted_lines_in_order(
    mixed: Log, wanted: dict[str, Any], expected: list[str]
) -> None:
    """By run, message, endpoint, time and severity; page after page of what Cloud Logging has."""
    since = datetime.now(UTC) - timedelta(minutes=wanted.pop("since", 60))
    one = Wanted(since=since, **wanted)
    here = list(LogDays(mixed.folder, one).read())
    there = list(CloudLogs(PROJECT, one, environ={"LOGGING_EMULATOR_HOST": mixed.server.host}).read())
    assert [(x.moment, *x.words) for x in here] == [(x.moment, *x.words) for x in there]
    assert len(here) == len(expected)
    for found, name in zip(here, expected, strict=True):
        assert found.message.endswith(name)
    assert len(mixed.server.asked) == max(1, -(-len(expected) // 3))


def test_a_run_is_looked_for_a_month_back(mixed: Log) -> None:
    """Whoever names a run wants it, not the last hour's part of it; --since says more or less."""
    assert messages(both(mixed, "--run=98")) == ["of crimes/red/98"]
    assert both(mixed, "--run=97") == []
    assert messages(both(mixed, "--run=97", "--since=41d")) == ["of crimes/red/97"]


def test_a_stack_follows_its_line(mixed: Log) -> None:
    """Indented, so that nothing in it looks like a line of its own."""
    shown = both(mixed, "--run=crimes/red/123")
    assert shown[1:] == ["    Traceback", "      x", "    KeyError: 'y'"]


@pytest.mark.parametrize("cloud", [False, True])
def test_a_watch_shows_each_line_as_it_comes_until_ctrl_c(mixed: Log, tmp_path: Path, *, cloud: bool) -> None:
    """None twice, none left out, also those that arrive late; Ctrl-C is how it ends."""
    command = [BIN / "tcdatalogger", "logs", "--follow", "--endpoint=crimes"]
    with Process(command, folder=tmp_path / "follow", env=mixed.env(cloud=cloud)) as process:
        until(lambda: "T1015Z" in process.stdout, what="the last of the lines that are there")
        before = process.stdout
        mixed.add(run_line("crimes/new/1", minutes=0))
        until(lambda: "of crimes/new/1" in process.stdout, what="a line that came")
        mixed.add(run_line("crimes/new/late", minutes=0.3))
        until(lambda: "of crimes/new/late" in process.stdout, what="a line that came late")
        os.kill(process.group, signal.SIGINT)
        assert process.wait(20) == 0, process.stderr
    assert process.stdout.startswith(before)
    came = process.stdout.removeprefix(before).splitlines()
    assert messages(came) == ["of crimes/new/1", "of crimes/new/late"]
    assert process.stderr == ""


def test_a_watch_goes_on_when_cloud_logging_does_not_answer(
    mixed: Log, server: CloudLoggingServer, tmp_path: Path
) -> None:
    """It says so, and asks again."""
    command = [BIN / "tcdatalogger", "logs", "--follow"]
    server.failures += [grpc.StatusCode.INTERNAL]
    with Process(command, folder=tmp_path / "follow", env=mixed.env(cloud=True)) as process:
        until(lambda: "T1015Z" in process.stdout, what="the lines")
    assert "Cloud Logging did not answer" in process.stderr


def test_a_moments_failure_is_asked_again(mixed: Log, server: CloudLoggingServer) -> None:
    """Also between two pages, nothing twice."""
    server.failures += [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED]
    assert both(mixed)


@pytest.mark.parametrize(
    ("code", "said", "todo"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, "the log of project proj cannot be read", "roles/logging.viewer"),
        (grpc.StatusCode.NOT_FOUND, "the log of project proj cannot be read", "gcloud projects list"),
        (grpc.StatusCode.UNAUTHENTICATED, "no credentials", "gcloud auth application-default login"),
        (grpc.StatusCode.INTERNAL, "Cloud Logging did not answer", "try again"),
    ],
)
def test_what_cloud_logging_refuses_is_said(
    log: Log, server: CloudLoggingServer, code: grpc.StatusCode, said: str, todo: str
) -> None:
    """With what a person does next."""
    server.failures.append(code)
    done = log.ask(cloud=True)
    assert done.returncode == 1
    assert said in done.stderr
    assert todo in done.stderr.partition("next:")[2]


def test_the_project_decides_where_lines_come_from(mixed: Log) -> None:
    """--project means Cloud Logging wherever rows go; --local this machine."""
    host = {"LOGGING_EMULATOR_HOST": mixed.server.host}
    done = mixed.ask("--project=another", "--run=crimes/red/123", cloud=False, **host)
    assert len(done.stdout.splitlines()) == 1
    assert [list(one.resource_names) for one in mixed.server.asked] == [["projects/another"]]
    assert len(mixed.ask("--local", cloud=True).stdout.splitlines()) == 9
    assert len(mixed.server.asked) == 1


def test_what_the_platform_says_is_shown_with_its_service(log: Log, server: CloudLoggingServer) -> None:
    """A function that ended for want of memory, or before it could log, says so in plain text."""
    server.add(entry_of("Memory limit of 512 MiB exceeded", service="t-faction-currency", project=PROJECT))
    server.add(entry_of("Memory limit of 512 MiB exceeded", service="t-currency", project=PROJECT))
    server.add(entry_of("Memory limit of 512 MiB exceeded", service="currency", project=PROJECT))
    for words, services in (
        (["--endpoint=faction_currency", "--prefix=t-"], ["t-faction-currency"]),
        (["--endpoint=faction_currency"], []),
        (["--prefix=t-"], ["t-faction-currency", "t-currency"]),
    ):
        shown = log.shown(*words, cloud=True)
        assert [one[25:] for one in shown] == [
            f"DEFAULT  {service}: Memory limit of 512 MiB exceeded" for service in services
        ]


def test_a_name_finds_lines_by_their_labels_too(log: Log, server: CloudLoggingServer) -> None:
    """Where the prefix is not given, an endpoint's and a job's lines are found all the same."""
    server.add(entry_of(job_line("backup/20261120", minutes=5), service="t-backup", project=PROJECT))
    server.add(entry_of(run_line("crimes/red/123", minutes=4), service="t-crimes", project=PROJECT))
    for name in ("backup", "crimes"):
        (found,) = log.shown(f"--endpoint={name}", cloud=True)
        assert f" of {name}/" in found


def test_nothing_in_a_line_plays_tricks(log: Log) -> None:
    """Neither with escape sequences nor with rich's markup nor with line ends; on a terminal as in a pipe."""
    evil = "[red]x[/red] [link=http://e] :smile: \x1b[2J\x1b]0;t\x07\x9b1m\u202e\nERROR fake\r"
    log.add(line(evil, at=ago(1), severity="ERROR", run_id="crimes/red/\x1b[1m", endpoint="crimes"))
    expected = "[red]x[/red] [link=http://e] :smile: \\x1b[2J\\x1b]0;t\\x07\\x9b1m\\u202e\\nERROR fake\\r"
    (shown,) = both(log)
    assert shown.endswith(f"Z ERROR    crimes/red/\\x1b[1m: {expected}")
    (entry,) = log.shown("--json", cloud=False)
    assert entry.isascii()
    assert entry.isprintable()
    assert json.loads(entry)["message"] == evil
    for cloud in (False, True):
        seen = on_terminal([BIN / "tcdatalogger", "logs"], env=log.env(cloud=cloud), columns=60)
        assert seen.text == f"{shown}\n"
        for trick in ("\x1b[2J", "\x1b]0", "\x9b", "\u202e", "\x1b]8"):
            assert trick not in seen.raw
        assert "\x1b[1;31mERROR" in seen.raw


def test_what_is_no_line_is_left_out_and_said(log: Log) -> None:
    """Half a line that a full disk left spoils no other; one that is being written is waited for."""
    log.add(run_line("crimes/red/1", minutes=5))
    (file,) = log.folder.iterdir()
    with file.open("ab") as out:
        out.write(b'{"time": "2026-11-\n\xff\xfe\n[]\n\n' + b"[" * 100_000 + b"\n")
        out.write(run_line("crimes/red/2", minutes=4).encode() + b"\n" + b'{"severity": "INFO"')
    done = log.ask(cloud=False)
    assert [one[-1] for one in done.stdout.splitlines()] == ["1", "2"]
    assert done.stderr == "4 lines are no log lines and were left out\n"


@pytest.mark.parametrize("cloud", [False, True])
def test_nothing_found_is_said_with_what_to_try(log: Log, *, cloud: bool) -> None:
    """Where it looked, since when, and for what; also where no run has ever logged."""
    done = log.ask("--endpoint=crimes", "--errors", cloud=cloud)
    assert done.returncode == 0
    assert done.stdout == ""
    where = f"Cloud Logging of {PROJECT}" if cloud else str(log.folder)
    assert "no lines since 20" in done.stderr
    assert f"UTC of crimes that are errors in {where}; try a longer --since, such as 1d" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--endpoint=crims"], "There is no endpoint 'crims'. Did you mean crimes?"),
        (["--since=soon"], "'soon' is neither how long ago, such as 30m, 1h or 2d, nor a moment"),
        (["--since=2999-01-01"], "2999-01-01 00:00:00 UTC is still to come"),
        (["--run=crimes/"], "'crimes/' is neither a run's id"),
        (["--run="], "'' is neither a run's id"),
        (["--project=p", "--local"], "--local and --project exclude each other"),
        (["--project=A B"], "'A B' is no project's id"),
        (["--errrors"], "Did you mean '--errors'?"),
    ],
)
def test_a_mistake_is_a_usage_error(log: Log, words: list[str], said: str) -> None:
    """Named, with what would be right."""
    done = log.ask(*words, cloud=False)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_log_that_is_not_kept_is_said(log: Log) -> None:
    """LOG_FOLDER=none leaves nothing to show."""
    done = log.ask(cloud=False, LOG_FOLDER="none")
    assert done.returncode == 1
    assert "LOG_FOLDER is none" in done.stderr
    assert "--project" in done.stderr.partition("next:")[2]


def test_no_credentials_is_said(log: Log) -> None:
    """With how to get them."""
    done = log.ask("--project=p", cloud=False)
    assert done.returncode == 1
    assert "next: gcloud auth application-default login" in done.stderr


def test_the_servers_variable_is_for_this_machine_alone(log: Log) -> None:
    """Lines name what a faction does; they do not travel in the clear."""
    done = log.ask("--project=p", cloud=False, LOGGING_EMULATOR_HOST="10.0.0.1:8090")
    assert done.returncode == 1
    assert "LOGGING_EMULATOR_HOST is '10.0.0.1:8090'" in done.stderr
