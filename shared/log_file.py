"""The log file of runs on this machine: the lines that Cloud Logging would get, one file a day (UTC).

Several processes write to it at once: each line is one write to the end of the file. No run fails
because its lines cannot be kept.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["KEPT", "LogFile", "day_files"]

#: How long a day's file is kept.
KEPT = timedelta(days=30)
_NAME = re.compile(r"\d{4}-\d{2}-\d{2}\.jsonl")


def day_files(folder: Path) -> list[Path]:
    """Return the folder's log files, the oldest day first; none where there is no folder.

    Raises:
        OSError: the folder cannot be read.
    """
    try:
        return sorted(file for file in folder.iterdir() if _NAME.fullmatch(file.name))
    except FileNotFoundError:
        return []


class LogFile:
    """A stream for ``logging.StreamHandler``, which writes every line, whole, by one call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._today: date | None = None
        self._half_written = False
        self._said = False

    def write(self, line: str) -> int:
        """Append a line, which ends with its line end, to the day's file."""
        data = line.encode("utf-8", "backslashreplace")
        today = datetime.now(UTC).date()
        try:
            # A full disk may have taken half a line; the next one begins below it.
            self._append(self._folder / f"{today}.jsonl", b"\n" + data if self._half_written else data)
            if today != self._today:
                self._today = today
                self._remove_old(today)
        except OSError as error:
            self._say(error)
        return len(line)

    def flush(self) -> None:
        """Do nothing: what was written is in the file."""

    def _append(self, file: Path, data: bytes) -> None:
        # Opened for each line: whoever removes the folder meanwhile gets a new one, not silence.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            to = os.open(file, flags, 0o666)
        except FileNotFoundError:
            self._folder.mkdir(parents=True, exist_ok=True)
            to = os.open(file, flags, 0o666)
        try:
            written = os.write(to, data)
        finally:
            os.close(to)
        self._half_written = written < len(data)
        if self._half_written:
            raise OSError(0, "the disk is full", str(file))

    def _remove_old(self, today: date) -> None:
        oldest = str(today - KEPT)
        for file in day_files(self._folder):
            if file.stem < oldest:
                # Another process may have been faster.
                with suppress(OSError):
                    file.unlink()

    def _say(self, error: OSError) -> None:
        if not self._said:
            self._said = True
            sys.stderr.write(
                f"log lines are not kept in {self._folder}: {error.strerror}; the run goes on "
                "→ make room, or let LOG_FOLDER name a folder that can be written, or none\n"
            )
