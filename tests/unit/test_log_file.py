"""The log file of runs on this machine: whole lines, one file a day, and no run fails for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from shared.log_file import LogFile, day_files


def lines_of(folder):
    return [line for file in day_files(folder) for line in file.read_text().splitlines()]


def log_in_process(folder, code, **options):
    head = (
        "import logging, pathlib, sys\n"
        "from shared.logs import configure, context, log\n"
        f"folder = pathlib.Path({str(folder)!r})\n"
        "configure('text', 'INFO', shown='CRITICAL', folder=folder)\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", head + code],
        env={"PATH": os.environ["PATH"]},
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def said(process):
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return err


def test_a_line_is_the_same_as_the_clouds(tmp_path):
    """The file holds what standard error would hold in the cloud, whatever is shown on the terminal."""
    code = "with context(run_id='crimes/default/1', endpoint='crimes'): log.info('%d rows', 5)"
    assert said(log_in_process(tmp_path / "logs", code)) == ""
    (line,) = lines_of(tmp_path / "logs")
    entry = json.loads(line)
    assert entry["message"] == "5 rows"
    assert entry["severity"] == "INFO"
    assert entry["logging.googleapis.com/labels"] == {"run_id": "crimes/default/1", "endpoint": "crimes"}
    (file,) = day_files(tmp_path / "logs")
    assert file.stem in {entry["time"][:10], str(datetime.now(UTC).date())}


def test_several_processes_do_not_garble_lines(tmp_path):
    """Lines far longer than a block of the disk, of eight processes at once, all stand whole."""
    code = (
        "name = sys.stdin.readline().strip()\n"
        "for number in range(40): log.info('%s %d %s', name, number, name * (1 + number * 700))\n"
    )
    running = [log_in_process(tmp_path, code, stdin=subprocess.PIPE) for _ in range(8)]
    for name, process in zip("abcdefgh", running, strict=True):
        process.stdin.write(f"{name}\n")
        process.stdin.flush()
    assert [said(process) for process in running] == [""] * 8
    found = sorted(json.loads(line)["message"] for line in lines_of(tmp_path))
    assert found == sorted(f"{n} {i} {n * (1 + i * 700)}" for n in "abcdefgh" for i in range(40))


def test_old_days_are_removed_and_nothing_else(tmp_path):
    """Thirty days are kept; files of other names are somebody else's."""
    today = datetime.now(UTC).date()
    kept = [today - timedelta(days=n) for n in (1, 29, 30)]
    gone = [today - timedelta(days=n) for n in (31, 400)]
    for day in (*kept, *gone):
        (tmp_path / f"{day}.jsonl").write_text("{}\n")
    others = ["notes.txt", "2020-01-01.txt", "2020-01-01.jsonl.gz"]
    for name in others:
        (tmp_path / name).write_text("mine")
    LogFile(tmp_path).write("{}\n")
    there = {file.name for file in tmp_path.iterdir()}
    assert there == {*others, *(f"{day}.jsonl" for day in (today, *kept))}


def test_a_folder_that_is_removed_comes_back(tmp_path):
    """Whoever clears data/ while the scheduler runs loses the old lines, not those to come."""
    folder = tmp_path / "a" / "logs"
    file = LogFile(folder)
    file.write("1\n")
    (day,) = day_files(folder)
    day.unlink()
    folder.rmdir()
    file.write("2\n")
    assert lines_of(folder) == ["2"]


def full(folder):
    # The day's file is a device that is always full.
    folder.mkdir()
    for day in range(2):
        (folder / f"{datetime.now(UTC).date() + timedelta(days=day)}.jsonl").symlink_to("/dev/full")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (full, "No space left on device"),
        (lambda folder: folder.write_text("a file"), "Not a directory"),
        (lambda folder: folder.symlink_to("/proc/nowhere"), ""),
    ],
    ids=["full", "file", "unwritable"],
)
def test_what_cannot_be_kept_fails_nothing_and_is_said_once(tmp_path, make, reason):
    """The run goes on; one sentence says what is missing and what to do."""
    make(tmp_path / "logs")
    err = said(log_in_process(tmp_path / "logs", "for n in range(5): log.info('line %d', n)"))
    assert len(err.splitlines()) == 1
    assert f"log lines are not kept in {tmp_path / 'logs'}: " in err
    assert reason in err
    assert "LOG_FOLDER" in err


def test_half_a_line_spoils_no_other(tmp_path):
    """When a full disk takes half a line, the next one begins on a line of its own."""
    code = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "log.info('before')\n"
        "_, most = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most))\n"
        "log.info('x' * 2000)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))\n"
        "log.info('after')\n"
    )
    err = said(log_in_process(tmp_path, code))
    assert "the disk is full" in err
    before, half, after = lines_of(tmp_path)
    assert json.loads(before)["message"] == "before"
    assert json.loads(after)["message"] == "after"
    with pytest.raises(ValueError, match="Unterminated"):
        json.loads(half)


def test_a_line_that_cannot_be_made_fails_nothing(tmp_path):
    """A mistake in a log call is Python's to report, and the next line is kept."""
    code = "log.info('%d', 'no number')\nlog.info('fine')"
    err = said(log_in_process(tmp_path, code))
    assert "Traceback" in err
    assert [json.loads(line)["message"] for line in lines_of(tmp_path)] == ["fine"]
