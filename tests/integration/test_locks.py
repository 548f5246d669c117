"""The locks install on every Python that is supported, from wheels, by hash."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from shared.settings import ROOT

UV = str(Path(sys.executable).with_name("uv"))
LOCKS = ("functions/requirements.txt", "requirements.txt")


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_resolves_to_wheels(lock, version, tmp_path):
    """Every package has a wheel for this Python whose hash is in the lock."""
    words = ["pip", "install", "--dry-run", "--require-hashes", "--only-binary", ":all:"]
    where = ["--python-version", version, "--target", str(tmp_path / "target")]
    done = subprocess.run(
        [UV, *words, *where, "-r", str(ROOT / lock)], capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode and "error sending request" in done.stderr.lower() and not os.environ.get("CI"):
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr
    assert "Would install" in done.stderr + done.stdout


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_a_hash_for_every_package(lock):
    """No line of a lock installs whatever a name may mean tomorrow."""
    text = (ROOT / lock).read_text()
    packages = re.split(r"\n(?=[a-z0-9])", text)
    assert len(packages) > 30
    for package in packages:
        assert re.match(r"[a-z0-9._-]+(\[.*\])?==\S+", package), package.splitlines()[0]
        assert "--hash=sha256:" in package, package.splitlines()[0]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_the_extras_that_its_packages_ask_for(lock):
    """Else pip 23, which Python 3.11 brings, finds a newer release and refuses it for having no hash."""
    locked = {}
    for name, extras in re.findall(
        r"^([a-z0-9._-]+)(?:\[(.*)\])?==", (ROOT / lock).read_text(), re.MULTILINE
    ):
        locked[name] = set(filter(None, extras.split(",")))
    asked = 0
    for package in locked:
        try:
            requires = distribution(package).requires or []
        except PackageNotFoundError:
            continue  # another platform's
        for requirement in map(Requirement, requires):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                name = canonicalize_name(requirement.name)
                assert requirement.extras <= locked[name], f"{package} asks for {requirement}"
                asked += bool(requirement.extras)
    assert asked


def test_what_is_deployed_is_part_of_the_whole():
    """The function runs the very versions that the tests ran."""
    deployed, whole = (
        set(re.findall(r"^\S+==\S+", (ROOT / lock).read_text(), re.MULTILINE)) for lock in LOCKS
    )
    assert deployed <= whole


def test_nothing_heavy_is_deployed():
    """pandas and numpy would double the cold start; DuckDB, click and rich are for laptops."""
    deployed = (ROOT / "functions/requirements.txt").read_text()
    for name in ("pandas", "numpy", "duckdb", "rich", "pytest"):
        assert not re.search(rf"^{name}==", deployed, re.MULTILINE), name


def test_every_declared_package_is_locked():
    """What pyproject.toml asks for stands in the lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [*project["dependencies"], *project["optional-dependencies"]["local"]]
    text = (ROOT / "requirements.txt").read_text()
    for requirement in declared:
        name = re.split(r"[\[><=]", requirement)[0]
        assert re.search(rf"^{name}==", text, re.MULTILINE), name
