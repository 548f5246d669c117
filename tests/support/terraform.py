"""Run Terraform on a copy of what it reads, without a cloud, and hand out its plan.

Plain Terraform where its providers can be had; elsewhere a tool beside the repository that serves them
from this machine.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from support.processes import ROOT, Process, environment, must_skip, require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pytest

__all__ = [
    "LATER",
    "OFFLINE",
    "PROJECT",
    "TWO_FACTIONS",
    "Checkout",
    "Done",
    "Plan",
    "common",
    "is_plain",
    "once",
    "planned",
    "planned_sources",
]

OFFLINE = ROOT.parent / "shared" / "tools" / "terraform-offline" / "tf"
PROJECT = "demo-project"
#: The variables of an installation that is not the default one; its plan stands beside them.
TWO_FACTIONS = ROOT / "infra" / "tests" / "golden" / "two-factions.tfvars"
#: What a value is that only the cloud knows.
LATER = "(known after apply)"

_PARTS = ("infra", "functions", "jobs", "shared")
_LEAVE = shutil.ignore_patterns(
    "__pycache__", ".terraform", ".build", ".delivery", "terraform.tfvars", "*.auto.tfvars", "*.tfstate*"
)
_PLAN = ("-input=false", "-lock=false", "-no-color", f"-var=project={PROJECT}")
#: What the cloud gives a function, within a block that the configuration says.
_GIVEN = {"build", "gcf_uri", "service", "uri"}
_INIT = ("init", "-input=false", "-no-color")
_BACKEND = 'terraform {\n  backend "local" {}\n}\n'


class Done(NamedTuple):
    """What a command ended with."""

    code: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        """Give all that it said, without the frames and line breaks that Terraform draws around it."""
        return " ".join(re.sub(r"[│╷╵]", " ", f"{self.stdout}\n{self.stderr}").split())


@dataclass(frozen=True, slots=True)
class Plan:
    """What Terraform would make in an empty project: address → its values, and where each value is said."""

    resources: dict[str, dict[str, Any]]
    configured: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, text: str) -> Plan:
        """Read what ``terraform show -json`` says."""
        document = json.loads(text)
        resources = {
            change["address"]: _later(change["change"]["after"], change["change"].get("after_unknown"))
            for change in document["resource_changes"]
            if change["mode"] == "managed"
        }
        root = document["configuration"]["root_module"]
        return cls(resources, {one["address"]: one.get("expressions", {}) for one in root["resources"]})

    def each(self, block: str) -> dict[str, dict[str, Any]]:
        """Return a block's resources by their keys in for_each; by "" where there is but one."""
        found = {}
        for address, values in self.resources.items():
            match = re.fullmatch(rf'{re.escape(block)}(?:\["(.*)"\])?', address)
            if match:
                found[match[1] or ""] = values
        return found

    def one(self, block: str) -> dict[str, Any]:
        """Return the only resource of a block."""
        (found,) = self.each(block).values()
        return found

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return all resources of a type, by address."""
        return {name: values for name, values in self.resources.items() if name.startswith(f"{kind}.")}

    def said(self) -> dict[str, Any]:
        """Return every resource with the values that the configuration gives it, less what is empty."""
        return {
            address: _tidy(_chosen(values, self.configured[address.split("[")[0]]))
            for address, values in sorted(self.resources.items())
        }


class Checkout:
    """A copy of what Terraform reads of the repository, in which it runs.

    Args:
        root: Where the copy is.
        common: A folder that all processes of this session have in common.
    """

    def __init__(self, root: Path, common: Path) -> None:
        self.root = root
        self.infra = root / "infra"
        self._common = common

    @classmethod
    def copy(cls, root: Path, factory: pytest.TempPathFactory) -> Checkout:
        """Copy the repository's parts; what Terraform has made there stays behind."""
        require("terraform")
        for name in _PARTS:
            shutil.copytree(ROOT / name, root / name, ignore=_LEAVE, dirs_exist_ok=True)
        return cls(root, common(factory))

    def __call__(self, *words: str, code: int = 0) -> Done:
        """Run terraform in infra/; fail if it ends with another code."""
        if is_plain(self._common):
            if not (self.infra / ".terraform").exists():
                (self.infra / "backend_override.tf").write_text(_BACKEND, encoding="utf-8")
                init = self._run("terraform", *_INIT)
                assert init.code == 0, init.text
            # A plan of what is not there yet asks the cloud nothing, but wants to be somebody.
            done = self._run("terraform", *words, GOOGLE_OAUTH_ACCESS_TOKEN="nobody's")
        else:
            state = {"TF_OFFLINE_STATE": str(self.root / "state"), "TF_OFFLINE_KNOWN": "1"}
            done = self._run(str(OFFLINE), *words, **state)
        assert done.code == code, f"terraform {' '.join(words)}:\n{done.stdout}\n{done.stderr}"
        return done

    def plan(self, *words: str) -> str:
        """Plan in an empty project; return it as ``Plan.read`` reads it."""
        file = self.infra / "made.tfplan"
        self("plan", f"-out={file.name}", *_PLAN, *words)
        return self("show", "-json", file.name).stdout

    def refused(self, *words: str) -> str:
        """Return what a plan says that is refused."""
        return self("plan", *_PLAN, *words, code=1).text

    def sources(self) -> dict[str, Path]:
        """Write the functions' zips; return where each one's is."""
        self("plan", *_PLAN, "-target=data.archive_file.source")
        return _zips(self.infra)

    def _run(self, *words: str, **settings: str) -> Done:
        return _ran(*words, folder=self.infra, common=self._common, **settings)


def is_plain(shared: Path) -> bool:
    """Say whether Terraform itself can have its providers; skip where neither it nor the tool can run."""

    def initialised() -> bool:
        trial = shared / "terraform-init"
        trial.mkdir()
        shutil.copy(ROOT / "infra" / "versions.tf", trial)
        (trial / "backend_override.tf").write_text(_BACKEND, encoding="utf-8")
        return _ran("terraform", *_INIT, folder=trial, common=shared).code == 0

    found = once(shared, "terraform-init", initialised)
    if not found and not OFFLINE.exists():
        must_skip(f"Terraform's providers cannot be had here, and {OFFLINE} is not here to serve them")
    return bool(found)


def common(factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all of a session's processes have in common."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def once(folder: Path, name: str, make: Callable[[], Any]) -> Any:
    """Return what ``make`` gives, made by the first of several processes that ask."""
    file = folder / f"{name}.json"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            made = json.dumps(make())
            file.write_text(made, encoding="utf-8")
        return json.loads(file.read_text(encoding="utf-8"))


def planned(factory: pytest.TempPathFactory) -> Plan:
    """Return the plan of two factions and the repository as it is, which is made once for all tests."""
    where = common(factory)

    def make() -> str:
        return Checkout.copy(where / "two-factions", factory).plan(f"-var-file={TWO_FACTIONS}")

    return Plan.read(once(where, "two-factions", make))


def planned_sources(factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return where the functions' zips of that plan are."""
    planned(factory)
    return _zips(common(factory) / "two-factions" / "infra")


def _zips(infra: Path) -> dict[str, Path]:
    return {file.stem: file for file in sorted((infra / ".build").glob("*.zip"))}


def _ran(*words: str, folder: Path, common: Path, **settings: str) -> Done:
    plugins = common / "plugins"
    plugins.mkdir(exist_ok=True)
    env = environment(
        CHECKPOINT_DISABLE="1",
        TF_IN_AUTOMATION="1",
        TF_PLUGIN_CACHE_DIR=str(plugins),
        # No lock file is in the repository: which provider fits is what versions.tf says.
        TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE="1",
        **settings,
    )
    said = common / "said" / uuid.uuid4().hex
    with Process(words, folder=said, env=env, cwd=folder) as process:
        return Done(process.wait(timeout=280), process.stdout, process.stderr)


def _later(values: Any, unknown: Any) -> Any:
    """Return values, and where only the cloud knows them, that it does."""
    if unknown is True:
        return LATER
    if isinstance(values, dict):
        hidden = unknown if isinstance(unknown, dict) else {}
        return {key: _later(values.get(key), hidden.get(key)) for key in values.keys() | hidden.keys()}
    if isinstance(values, list):
        hidden = unknown if isinstance(unknown, list) else []
        return [_later(value, hidden[at] if at < len(hidden) else None) for at, value in enumerate(values)]
    return values


def _chosen(values: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that a configuration gives a resource, with its blocks.

    A dynamic block is not in the plan's configuration, so that every block stays which is there.
    """
    return {
        key: value
        for key, value in values.items()
        if key in said or (isinstance(value, list) and value != [])
    }


def _tidy(value: Any) -> Any:
    """Return a value in order, without what is empty or the cloud's; texts of JSON opened."""
    if isinstance(value, dict):
        tidied = {key: _tidy(one) for key, one in sorted(value.items()) if key not in _GIVEN}
        return {key: one for key, one in tidied.items() if one is not None and one not in ({}, [])}
    if isinstance(value, list):
        return [_tidy(one) for one in value]
    if isinstance(value, str) and value[:1] + value[-1:] in {"[]", "{}"}:
        return json.loads(value)
    return value
