"""A copy of the repository, which the command and the tests take for their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple, Self

from support.processes import BIN, ROOT, environment, unmeasured

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Tree"]

_LEAVE = shutil.ignore_patterns("__pycache__", "reports", ".terraform", ".build", ".delivery", "*.tfvars")


class Tree(NamedTuple):
    """A copy of the repository, which the command takes for its own."""

    root: Path

    @classmethod
    def copy(cls, root: Path, *further: str) -> Self:
        """Copy what the command reads of the repository, and further files and folders."""
        root.mkdir()
        for name in ("shared", "functions", "infra", "README.md", *further):
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, root / name, ignore=_LEAVE)
            else:
                shutil.copy(ROOT / name, root)
        return cls(root)

    @property
    def env(self) -> dict[str, str]:
        """Give the environment in which the copy is what Python imports."""
        # Coverage would look for these files, when they are gone.
        return environment(PYTHONPATH=str(self.root), PYTHONDONTWRITEBYTECODE="1", **unmeasured())

    def __call__(self, *words: str, code: int) -> subprocess.CompletedProcess[str]:
        """Run the command in the copy; fail if it ends otherwise, or with a traceback."""
        done = subprocess.run(
            [BIN / "tcdatalogger", *words], cwd=self.root, env=self.env,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def pytest(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run tests of the copy."""
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
            cwd=self.root, env={**self.env, "VENV": str(BIN.parent)},
            capture_output=True, text=True, timeout=110, check=False,
        )  # fmt: skip

    def edit(self, file: str, *changes: tuple[str, str]) -> None:
        """Replace words of a file, each once."""
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text, encoding="utf-8")
