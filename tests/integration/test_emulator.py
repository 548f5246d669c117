"""The BigQuery emulator answers quickly, and nothing else than it answers by itself."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from support.bigquery import SERVE, emulated

if TYPE_CHECKING:
    from pathlib import Path


def test_quick_look_ups_find_what_slow_ones_find(tmp_path: Path) -> None:
    """After every kind of change each look-up is the same both ways, and still asked in these words."""
    python, env = emulated()
    done = subprocess.run(
        [python, SERVE.with_name("compare.py"), tmp_path / "data"],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["different"] == []
    assert sorted(found["asked"]) == sorted(found["known"])
    assert min(found["asked"].values()) > 10
