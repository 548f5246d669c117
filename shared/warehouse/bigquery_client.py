"""Google's BigQuery client, made when first needed.

``BIGQUERY_EMULATOR_HOST=127.0.0.1:9050`` leads to an emulator on this machine, without credentials;
only then are there none.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from google.cloud import bigquery

from shared.errors import FixConfiguration

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EMULATOR", "Place"]

EMULATOR = "BIGQUERY_EMULATOR_HOST"


class Place:
    """A dataset: its client, its location and the names of what is in it."""

    def __init__(self, project: str, dataset: str, *, environ: Mapping[str, str] = os.environ) -> None:
        self.project = project
        self.dataset = dataset
        self._emulator = environ.get(EMULATOR, "")

    @property
    def emulated(self) -> bool:
        """Say whether this is an emulator on this machine."""
        return bool(self._emulator)

    @cached_property
    def client(self) -> bigquery.Client:
        """Return the client.

        Raises:
            FixConfiguration: there are no credentials.
        """
        if self._emulator:
            from google.auth.credentials import AnonymousCredentials  # noqa: PLC0415 - emulator only

            host = self._emulator if "://" in self._emulator else f"http://{self._emulator}"
            return bigquery.Client(
                project=self.project,
                credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
                client_options={"api_endpoint": host},
            )
        from google.auth.exceptions import DefaultCredentialsError  # noqa: PLC0415

        try:
            return bigquery.Client(project=self.project)
        except DefaultCredentialsError as error:
            raise FixConfiguration(
                f"there are no credentials for BigQuery: {error}",
                next_step="in the cloud the function has them; here: `gcloud auth application-default login`",
            ) from error

    @cached_property
    def location(self) -> str:
        """Return the dataset's location: jobs are found again only where they ran."""
        return str(self.client.get_dataset(f"{self.project}.{self.dataset}").location)

    def table(self, name: str) -> str:
        """Return a table's whole name, as the client takes it."""
        return f"{self.project}.{self.dataset}.{name}"

    def quoted(self, name: str) -> str:
        """Return a table's whole name, as SQL takes it."""
        return f"`{self.table(name)}`"
