"""The whole of infra/, applied into Google's Pub/Sub emulator and the BigQuery emulator.

Terraform's own tool makes topics, subscriptions, the dataset and its tables there; of everything else it
keeps the state alone. Plain Terraform cannot: it would ask the cloud.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from support.processes import Process, environment, must_skip
from support.terraform import OFFLINE, Checkout, Done, without_zips

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest

__all__ = ["PROJECT", "Deployment"]

PROJECT = "demo-project"


class Deployment:
    """One installation in emulators; its files are a copy, its state a folder."""

    def __init__(
        self,
        root: Path,
        factory: pytest.TempPathFactory,
        *,
        bigquery: str,
        pubsub: str = "",
        pushes: str = "",
    ) -> None:
        """Copy what Terraform reads.

        Args:
            root: A folder to be made.
            factory: Of the test's folders.
            bigquery: The BigQuery emulator's host and port.
            pubsub: The Pub/Sub emulator's host and port; without it there are no topics.
            pushes: What stands for ``https://`` in every address that is pushed to.
        """
        if not OFFLINE.exists():
            must_skip(f"{OFFLINE} is not here, which applies Terraform into emulators")
        self._checkout = Checkout.copy(root, factory, zips=True)
        self._pubsub, self._bigquery = f"http://{pubsub}/v1", f"http://{bigquery}/bigquery/v2"
        self._runs = 0
        self._settings = {
            "TF_DATA_DIR": str(root / "terraform-data"),
            "TF_IN_AUTOMATION": "1",
            "TF_OFFLINE_APPLY": "emulators",
            "TF_OFFLINE_PUSH_REWRITE": f"https://={pushes}",
            "TF_OFFLINE_STATE": str(root / "terraform-state"),
            "TF_VAR_project": PROJECT,
            "PUBSUB_EMULATOR_HOST": pubsub,
            "BIGQUERY_EMULATOR_HOST": bigquery,
        }

    def __call__(self, *words: str, code: int = 0) -> Done:
        """Run terraform in infra/; fail if it ends with another code."""
        self._runs += 1
        command = [OFFLINE, f"-chdir={self._checkout.infra}", *words]
        folder = self._checkout.root / "said" / str(self._runs)
        with Process(command, folder=folder, env=environment(**self._settings)) as process:
            done = Done(process.wait(timeout=400), process.stdout, process.stderr)
        assert done.code == code, f"terraform {' '.join(words)}:\n{done.stdout[-2000:]}\n{done.stderr}"
        return done

    def keep(self, endpoint: str) -> None:
        """Remove all other endpoints and the jobs from the copy."""
        for folder in [*self._checkout.root.glob("functions/*/"), *self._checkout.root.glob("jobs/*/")]:
            if folder.name != endpoint:
                shutil.rmtree(folder)

    def without_zips(self) -> None:
        """Let Terraform write zips of nothing from now on, which is much faster."""
        without_zips(self._checkout.infra)

    def state(self) -> dict[str, dict[str, Any]]:
        """Return what is deployed: ``type.name`` → key in for_each, or "" → attributes."""
        document = json.loads(self("state", "pull").stdout)
        return {
            f"{one['type']}.{one['name']}": {
                str(instance.get("index_key", "")): instance["attributes"] for instance in one["instances"]
            }
            for one in document["resources"]
        }

    def unpack(self, zips: Sequence[str]) -> dict[str, Path]:
        """Unpack zips that Terraform has written, each into a folder of its own."""
        folders = {}
        for name in zips:
            folders[name] = self._checkout.root / "unpacked" / name
            with zipfile.ZipFile(self._checkout.infra / ".build" / f"{name}.zip") as file:
                file.extractall(folders[name])
        return folders

    def there(self) -> dict[str, list[str]]:
        """Return the names of what the emulators have of the project."""
        bigquery = f"{self._bigquery}/projects/{PROJECT}"
        datasets = [
            one["datasetReference"]["datasetId"] for one in _get(f"{bigquery}/datasets").get("datasets", [])
        ]
        tables = [
            one["tableReference"]["tableId"]
            for dataset in datasets
            for one in _get(f"{bigquery}/datasets/{dataset}/tables?maxResults=1000").get("tables", [])
        ]
        found = {"datasets": sorted(datasets), "tables": sorted(tables)}
        for kind in ("topics", "subscriptions") if self._settings["PUBSUB_EMULATOR_HOST"] else ():
            listed = _get(f"{self._pubsub}/projects/{PROJECT}/{kind}?pageSize=1000")
            found[kind] = sorted(one["name"] for one in listed.get(kind, []))
        return found

    def subscription(self, name: str) -> dict[str, Any]:
        """Return a subscription as the emulator has it."""
        return _get(f"{self._pubsub}/projects/{PROJECT}/subscriptions/{name}")


def _get(url: str) -> dict[str, Any]:
    with urlopen(url, timeout=60) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    return found
