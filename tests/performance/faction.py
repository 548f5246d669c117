"""The simulated faction, in a process of its own, while a benchmark asks it."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .processes import PRODUCT, ROOT, ProcessError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["faction"]


@contextmanager
def faction(crimes: int) -> Iterator[tuple[str, str]]:
    """Yield the URL and the key of a faction with so many crimes."""
    command = (PRODUCT, "-m", "tests.performance.server", str(crimes))
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline().split()
            if len(line) != 2:
                raise ProcessError("the simulator did not start")
            yield line[0], line[1]
        finally:
            # It ends with its input; nothing is killed.
            process.stdin.close()
            process.wait(10)
