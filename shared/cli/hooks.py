"""The function in an endpoint's main.py that fills ``$derived`` columns, without the framework."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING

from shared.cli.local import shown
from shared.endpoint_file import find_endpoints
from shared.errors import FixConfiguration
from shared.logs import log

if TYPE_CHECKING:
    from shared.derive import Derive
    from shared.endpoint import Endpoint

__all__ = ["derive_of"]


def derive_of(endpoint: Endpoint) -> Derive | None:
    """Return the function that fills an endpoint's derived columns; None if it has none.

    Raises:
        FixConfiguration: main.py cannot be imported, or hands no function over.
    """
    from shared.derive import derived_columns  # noqa: PLC0415 - Arrow, which not every command needs

    # Only where it is needed: main.py imports the functions framework, a tenth of a run's CPU.
    if not derived_columns(endpoint):
        return None
    file = find_endpoints()[endpoint.name].with_name("main.py")
    spec = spec_from_file_location(f"functions_{endpoint.name}", file)
    assert spec is not None
    assert spec.loader is not None
    module, level, handlers = module_from_spec(spec), log.level, log.handlers
    try:
        spec.loader.exec_module(module)
        derive: Derive = module.collector.derive
    except (ImportError, SyntaxError, AttributeError, NameError, OSError) as error:
        raise FixConfiguration(
            f"{shown(file)} cannot be used: {type(error).__name__}: {error}",
            next_step="make it as functions/currency/main.py is",
        ) from error
    finally:
        # Importing it configures logging, as it does in a function; the command has its own way of that.
        log.handlers = handlers
        log.setLevel(level)
    return derive
