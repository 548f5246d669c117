"""How many rows a replace may take away."""

from __future__ import annotations

import msgspec
import pytest
from support.tables import family

from shared.warehouse.refusals import most_before


@pytest.mark.parametrize(
    ("share", "allow_empty", "rows", "most"),
    [
        (0.5, False, 2, 4),
        (0.5, False, 3, 6),
        (0.9, False, 3, 30),
        (0.3, False, 7, 10),
        (0.0, False, 4, 4),
        (1.0, False, 1, None),
        (0.5, True, 0, None),
        (0.5, True, 1, 2),
        (0.1, False, 10, 11),
    ],
)
def test_the_share_that_may_vanish_is_counted_exactly(share, allow_empty, rows, most):
    """What may be there before is the most of which no more than the share vanishes; None: any number."""
    table = family("replace").tables["things"]
    table = msgspec.structs.replace(table, max_shrink=share, allow_empty=allow_empty)
    assert most_before(table, rows) == most
    if most is not None:
        assert (most - rows) / most <= share + 1e-9 < (most + 1 - rows) / (most + 1)
