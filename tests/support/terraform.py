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
from typing import TYPE_CHECKING, Any, NamedTuple

from support.plan import Plan
from support.processes import ROOT, Process, environment, must_skip, require

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

__all__ = [
    "OFFLINE",
    "PROJECT",
    "TWO_FACTIONS",
    "Checkout",
    "Done",
    "common",
    "is_plain",
    "once",
    "planned",
    "planned_sources",
    "without_zips",
]

OFFLINE = ROOT.parent / "shared" / "tools" / "terraform-offline" / "tf"
PROJECT = "demo-project"
#: The variables of an installation that is not the default one; its plan stands beside them.
TWO_FACTIONS = ROOT / "infra" / "tests" / "golden" / "two-factions.tfvars"

_PARTS = ("infra", "functions", "jobs", "shared")
_LEAVE = shutil.ignore_patterns(
    "__pycache__", ".terraform", ".build", ".delivery", "terraform.tfvars", "*.auto.tfvars", "*.tfstate*"
)
_PLAN = ("-input=false", "-lock=false", "-no-color", f"-var=project={PROJECT}")
_INIT = ("init", "-input=false", "-no-color")
_BACKEND = 'terraform {\n  backend "local" {}\n}\n'
# Four fifths of a plan's time go to the contents of the archives. Blocks of an override file replace those
# that they override; the objects' names are made from the files and not from the archives.
_NO_ZIPS = """\
data "archive_file" "source" {
  source {
    filename = "nothing"
    content  = "Nothing."
  }
}
"""


class Done(NamedTuple):
    """What a command ended with."""

    code: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        """Give all that it said, without the frames and line breaks that Terraform draws around it."""
        return " ".join(re.sub(r"[│╷╵]", " ", f"{self.stdout}\n{self.stderr}").split())


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
    def copy(cls, root: Path, factory: pytest.TempPathFactory, *, zips: bool = False) -> Checkout:
        """Copy the repository's parts; what Terraform has made there stays behind.

        Args:
            root: Where to.
            factory: Of the test's folders.
            zips: Whether the functions' zips have what is deployed; it takes five times as long.
        """
        require("terraform")
        for name in _PARTS:
            shutil.copytree(ROOT / name, root / name, ignore=_LEAVE, dirs_exist_ok=True)
        if not zips:
            without_zips(root / "infra")
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


def without_zips(infra: Path) -> None:
    """Let Terraform write zips of nothing in a copy of infra/; all else that it plans stays the same."""
    (infra / "zips_override.tf").write_text(_NO_ZIPS, encoding="utf-8")


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


def planned(factory: pytest.TempPathFactory, *, zips: bool = False) -> Plan:
    """Return the plan of two factions and the repository as it is, which is made once for all tests."""
    name = _planned_in(zips=zips)

    def make() -> str:
        checkout = Checkout.copy(common(factory) / name, factory, zips=zips)
        return checkout.plan(f"-var-file={TWO_FACTIONS}")

    return Plan.read(once(common(factory), name, make))


def planned_sources(factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return where the functions' zips of that plan are."""
    planned(factory, zips=True)
    return _zips(common(factory) / _planned_in(zips=True) / "infra")


def _planned_in(*, zips: bool) -> str:
    return "two-factions-and-zips" if zips else "two-factions"


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
