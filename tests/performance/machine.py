"""Where the numbers come from: the machine, the interpreters, the versions."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .processes import PEERS, PRODUCT, run

__all__ = ["describe"]

_PACKAGES = (
    "dlt",
    "duckdb",
    "functions-framework",
    "google-cloud-bigquery",
    "msgspec",
    "numpy",
    "obstore",
    "orjson",
    "pandas",
    "polars",
    "pyarrow",
    "requests",
)
_VERSIONS = """
import importlib.metadata, json, platform, sys
found = {"python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def describe() -> dict[str, Any]:
    """Return what a reader needs to judge the numbers."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "product": _versions(PRODUCT),
        "peers": _versions(PEERS),
    }


def _versions(python: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(run([python, "-c", _VERSIONS, *_PACKAGES]).printed)
    return found


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
