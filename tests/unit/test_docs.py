"""What the documents say is what the code does."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from shared.cli import COMMANDS
from shared.cli.generated import generated
from shared.settings import DEFAULTS, ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", generated(), ids=lambda file: file.name)
def test_generated_files_are_fresh(file):
    """`make generate` would change nothing."""
    assert file.read_text(encoding="utf-8") == generated()[file]


def test_every_setting_is_one_that_the_code_reads():
    """A variable the code asks the environment for stands in the table, or is a platform's own."""
    text = "".join(f.read_text() for f in (ROOT / "shared").rglob("*.py"))
    asked = set(re.findall(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"", text))
    platform = {"GOOGLE_CLOUD_PROJECT", "LOG_LEVEL", "SECRET_MANAGER_EMULATOR_HOST"}
    assert asked - platform <= set(DEFAULTS)


def test_every_make_target_the_readme_names_exists():
    """No document sends anyone to a target that is not there."""
    for target in set(re.findall(r"(?:`|\$ )make ([a-z-]+)", README)):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


def test_every_command_the_readme_shows_exists():
    """Every `tcdatalogger WORD` in the README is a command."""
    assert set(re.findall(r"tcdatalogger ([a-z-]+)", README)) <= set(COMMANDS)


def test_no_file_names_a_package_registry():
    """Packages are asked for by name; where from is the machine's own setting."""
    hosts = re.compile("|".join(["pypi" + r"\.org", "python" + r"hosted\.org", "registry\\.npm" + "js"]))
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.split():
        file = Path(ROOT / name)
        if file.is_file():
            assert not hosts.search(file.read_text(encoding="utf-8", errors="replace")), name


def test_links_in_the_readme_lead_somewhere():
    """Every relative link and every path in backticks that looks like a file exists."""
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / link).exists(), link
    for path in re.findall(r"`((?:tests|functions|shared)/[\w/.-]+\.\w+)`", README):
        assert (ROOT / path).exists(), path
