"""Find the files that development uses and the repository carries no copy of."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

__all__ = ["DATA", "ITEMS", "SPEC", "needed"]

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SPEC = DATA / "torn-openapi-6.6.1.json"
ITEMS = DATA / "torn-items-sample.json"


def needed(path: Path) -> Path:
    """Skip where such a file is absent; on the build server that is a failure."""
    if not path.exists():
        message = f"{path} is not here: it is an input for development that the repository carries no copy of"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return path
