"""What commands that ask Google Cloud share: which project, and whether credentials are what is wrong."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import click

from shared.errors import FixConfiguration

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LOGIN", "lacks_credentials", "project_of"]

LOGIN = "gcloud auth application-default login"
_PROJECT = re.compile(r"(?:[a-z0-9.-]{1,80}:)?[a-z0-9][a-z0-9-]{0,62}")


def project_of(given: str | None, warehouse: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the project: as given, of the environment, of the warehouse, or of the credentials.

    Raises:
        click.UsageError: what is named can be no project's id.
        FixConfiguration: nothing names one.
    """
    kind, _, place = warehouse.partition(":")
    found = given or environ.get("GOOGLE_CLOUD_PROJECT")
    if not found and kind == "bigquery":
        found = place.rpartition(".")[0]
    found = found or _of_credentials()
    if not _PROJECT.fullmatch(found):
        raise click.UsageError(f"{found[:80]!r} is no project's id; `gcloud projects list` shows them.")
    return found


def _of_credentials() -> str:
    # 100 ms, only where nothing else says it.
    import google.auth  # noqa: PLC0415
    from google.auth.exceptions import DefaultCredentialsError  # noqa: PLC0415

    try:
        found = google.auth.default()[1]
    except DefaultCredentialsError:
        found = None
    if not found:
        raise FixConfiguration(
            "no Google Cloud project is known: neither --project nor GOOGLE_CLOUD_PROJECT nor "
            "WAREHOUSE=bigquery:PROJECT.DATASET names one, and no credentials do",
            next_step=f"give --project PROJECT, or {LOGIN}",
        )
    return str(found)


def lacks_credentials(error: Exception) -> bool:
    """Say whether a call failed for want of credentials, or because they are no longer good."""
    from google.api_core.exceptions import Unauthenticated  # noqa: PLC0415
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

    # gRPC reports credentials that cannot be renewed as a server that cannot be reached.
    plugin = "metadata from plugin failed" in str(error)
    return plugin or isinstance(error, GoogleAuthError | Unauthenticated)
