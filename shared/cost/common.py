"""What no single endpoint uses: the keys, and the functions' images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.cost.facts import ASSUMED, INSTALLATION
from shared.cost.services import Line
from shared.cost.setup import MONTH_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shared.cost.setup import Setup

__all__ = ["IMAGES", "KEYS", "image_lines", "key_lines"]

#: The names for what the keys and the images use.
KEYS = "(keys)"
IMAGES = "(images)"


def key_lines(setups: Sequence[Setup], accounts: int) -> Iterator[Line]:
    """Yield the secrets: one key for each account; what is read for all is read with the first one's."""
    if accounts == 1:
        keys = len({setup.endpoint.key for setup in setups})
    else:
        keys = accounts if any(setup.endpoint.scope == "account" for setup in setups) else 1
    yield Line(KEYS, "secret_versions", keys)
    yield Line(KEYS, "secret_rotations", keys * MONTH_DAYS / INSTALLATION.rotation_days)


def image_lines(functions: int) -> Iterator[Line]:
    """Yield what the repository of images keeps, once each function has been deployed a few times."""
    yield Line(IMAGES, "image_bytes", functions * INSTALLATION.images_kept * ASSUMED.image_bytes)
