"""Log lines out of this machine's log files, see ``shared.log_file``."""

from __future__ import annotations

from contextlib import suppress
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from shared.cli.log_lines import Line
from shared.errors import FixConfiguration
from shared.log_file import day_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from shared.cli.log_lines import Wanted

__all__ = ["LogDays"]


class LogDays:
    """A folder's lines; each reading gives those that came since the last one."""

    #: Seconds between readings while somebody watches.
    pause = 0.3

    def __init__(self, folder: Path, wanted: Wanted) -> None:
        self._folder = folder
        self._wanted = wanted
        self._read: dict[str, int] = {}
        #: How many lines were none.
        self.unreadable = 0

    def read(self) -> Iterator[Line]:
        """Yield the wanted lines that are new, in the order of time.

        Raises:
            FixConfiguration: the files cannot be read.
        """
        first = str(self._wanted.since.date())
        try:
            for file in day_files(self._folder):
                if file.stem >= first:
                    # Several processes write to a file: nearly in the order of time.
                    yield from sorted(self._new(file), key=attrgetter("time"))
        except OSError as error:
            raise FixConfiguration(
                f"the log lines in {self._folder} cannot be read: {error.strerror}",
                next_step="make the folder and its files readable, or let LOG_FOLDER name another",
            ) from error

    def _new(self, file: Path) -> Iterator[Line]:
        # Removed a moment ago, as old files are.
        with suppress(FileNotFoundError), file.open("rb") as lines:
            if self._read.get(file.name, 0) <= file.stat().st_size:
                lines.seek(self._read.get(file.name, 0))
            for text in lines:
                if not text.endswith(b"\n"):
                    # It is being written.
                    lines.seek(-len(text), 1)
                    break
                line = _line(text)
                if line is None:
                    self.unreadable += bool(text.strip())
                elif self._wanted.matches(line):
                    yield line
            self._read[file.name] = lines.tell()


def _line(text: bytes) -> Line | None:
    try:
        return Line.of(msgspec.json.decode(text))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
