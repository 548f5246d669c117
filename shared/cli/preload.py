"""What the processes of ``run`` and ``up`` have in common, imported once before they are forked."""

from __future__ import annotations

# Each endpoint with a function of its own would import the framework for itself.
import functions_framework  # noqa: F401

import shared.cli.processes
import shared.collector
import shared.derive
import shared.keys
import shared.warehouse.duckdb  # noqa: F401

__all__: list[str] = []
