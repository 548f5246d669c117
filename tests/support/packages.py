"""An empty virtual environment, and what a zip's own requirements.txt installs into it."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.processes import BIN, environment
from support.terraform import common, once

if TYPE_CHECKING:
    import pytest

__all__ = ["asked", "installed"]

#: What uv calls what pip's configuration has.
_PIP_TO_UV = {
    "cert": "SSL_CERT_FILE",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "index-url": "UV_DEFAULT_INDEX",
}
#: Between several values, where it is no space.
_SEPARATOR = {"UV_FIND_LINKS": ","}
_LOOK = """
import importlib.util, json, sys
names = sys.argv[1:]
def found(name):
    try: return importlib.util.find_spec(name)
    except ModuleNotFoundError: return None
print(json.dumps({name: spec.origin for name in names if (spec := found(name))}))
"""


def installed(requirements: Path, factory: pytest.TempPathFactory) -> Path:
    """Return the virtual environment of a requirements.txt, made once for all tests of a session."""
    text = requirements.read_bytes()
    folder = common(factory) / f"packages-{hashlib.sha256(text).hexdigest()[:12]}"

    def make() -> bool:
        _run(_python(), "-m", "venv", "--without-pip", str(folder), env=environment())
        uv = [str(BIN / "python"), "-m", "uv", "pip", "install", "--quiet"]
        locked = ["--python", str(folder / "bin" / "python"), "--require-hashes", "-r", str(requirements)]
        _run(*uv, *locked, env=environment(**_index()))
        return True

    once(common(factory), folder.name, make)
    return folder


def asked(packages: Path, source: Path, *modules: str) -> dict[str, Path]:
    """Return where an environment finds modules when it runs in a folder, less what it does not find."""
    told = _run(str(packages / "bin" / "python"), "-c", _LOOK, *modules, cwd=source, env={"PATH": "/usr/bin"})
    found: dict[str, Any] = json.loads(told)
    return {name: Path(origin) for name, origin in found.items()}


def _index() -> dict[str, str]:
    """Return where packages come from, as uv is told it.

    That is where a person has set up pip to look, who may have no other way to packages; uv does not read
    it. Hashes are required, so that it does not matter which of several places has a file.
    """
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    said = _run(str(BIN / "python"), "-m", "pip", "config", "list", env=environment(**pip))
    found = {name: value for name, value in os.environ.items() if name.startswith(("UV_", "SSL_CERT_"))}
    found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    # What is in the environment comes before what is in files, and is said first.
    for line in reversed(said.splitlines()):
        name, _, value = line.partition("=")
        if told := _PIP_TO_UV.get(name.rpartition(".")[2]):
            found[told] = _SEPARATOR.get(told, " ").join(str(ast.literal_eval(value)).split())
    return found


def _python() -> str:
    """Return the Python that the functions run on, 3.13; where it is absent, this one."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    # What is on the path may be pyenv's stand-in for a version that is not chosen.
    for found in [*root.glob("versions/3.13*/bin/python3.13"), "python3.13"]:
        try:
            subprocess.run([found, "-c", "import venv"], capture_output=True, timeout=60, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return str(found)
    return sys.executable


def _run(*command: str, env: dict[str, str], cwd: Path | None = None) -> str:
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout
