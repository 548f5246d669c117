"""Pages of crimes, made once per session and kept in files, one page a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["PAGE", "Pages", "make_pages"]

#: Crimes on a page.
PAGE = 100
# The newest crimes are not paid out yet; a small number of them would hold no rewards.
_NEWEST = 30 * PAGE
_SEED = 7
_NOW = 1_777_308_831


class Pages:
    """The pages in some files. Reading them is not on the watch; what is done with them is."""

    def __init__(self, *paths: Path) -> None:
        self._paths = paths
        self.watch = Watch()

    @property
    def path(self) -> str:
        """Return the one file, for those who read it themselves."""
        (path,) = self._paths
        return str(path)

    def __iter__(self) -> Iterator[bytes]:
        for path in self._paths:
            with path.open("rb") as file:
                while True:
                    with self.watch.paused():
                        page = file.readline()
                    if not page:
                        break
                    yield page


def make_pages(folder: Path, *parts: int) -> Sequence[Path]:
    """Write successive parts of one history, so many crimes each; return their files."""
    # A peer's process has no need of it.
    from shared.simulator import crime_pages  # noqa: PLC0415

    pages = crime_pages(_NEWEST + sum(parts), seed=_SEED, now=_NOW, limit=PAGE)
    for _ in range(_NEWEST // PAGE):
        next(pages)
    paths = []
    for number, crimes in enumerate(parts):
        path = folder / f"crimes-{number}-{crimes}.json"
        with path.open("wb") as file:
            file.writelines(next(pages) + b"\n" for _ in range(-(-crimes // PAGE)))
        paths.append(path)
    return paths
