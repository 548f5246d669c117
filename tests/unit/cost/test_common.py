"""What no single endpoint uses: keys and images."""

from __future__ import annotations

import pytest

from shared.cost.common import image_lines, key_lines
from shared.cost.setup import Setup


def keys(setups, accounts):
    found = {line.item: line.quantity for line in key_lines(setups, accounts)}
    # A reminder every 180 days for each.
    assert found["secret_rotations"] == pytest.approx(found["secret_versions"] / 6)
    return found["secret_versions"]


def test_there_is_a_key_for_each_account(make_log, log_setup):
    """What is read for all is read with an account's: 100 accounts have 100 keys."""
    for_all = Setup(make_log(name="all", scope="global"))
    assert keys([log_setup, for_all], 100) == 100
    assert keys([for_all], 100) == 1


def test_one_account_has_the_keys_that_its_endpoints_name(make_log, log_setup):
    """Endpoints may share one key or have their own."""
    assert keys([log_setup, Setup(make_log(name="all", scope="global"))], 1) == 1
    assert keys([log_setup, Setup(make_log(name="own", key="own-key"))], 1) == 2


def test_the_last_images_of_each_function_are_kept():
    """Seven functions, three images each, of 150 MB."""
    [line] = image_lines(7)
    assert (line.item, line.quantity) == ("image_bytes", 7 * 3 * 150_000_000)
