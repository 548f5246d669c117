"""One call of the benchmarks: its temporary folder, its pages, and whether it is a quick one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .pages import make_pages

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Session"]


@dataclass(slots=True, kw_only=True)
class Session:
    """What the benchmarks of one call share."""

    folder: Path
    quick: bool = False
    _pages: dict[tuple[int, ...], list[Path]] = field(default_factory=dict)

    @property
    def scale(self) -> int:
        """Return what numbers of crimes are divided by."""
        return 20 if self.quick else 1

    def pages(self, *parts: int) -> list[Path]:
        """Return files of successive parts of one history, so many crimes each; made once."""
        for known, files in self._pages.items():
            if known[: len(parts)] == parts:
                return files[: len(parts)]
        folder = self.folder / "-".join(map(str, ("pages", *parts)))
        folder.mkdir()
        self._pages[parts] = list(make_pages(folder, *parts))
        return self._pages[parts]
