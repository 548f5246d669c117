"""Mistakes in files of a repository: each is told with file, line, what was found and what is allowed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from support.processes import BIN, Process
from support.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    """Give a copy of what the command reads of the repository."""
    made = Tree.copy(tmp_path / "tree")
    yield made
    # It is large, and of no use to anyone afterwards.
    shutil.rmtree(made.root)


CRIMES = "functions/crimes/endpoint.yaml"
MODE = "tables.crimes.mode: found 'marge'"
#: What is written instead of what, and what is said of it.
MISTAKES = {
    "unknown-key": ("every: PT15M", "evry: PT15M", ["evry: unknown key; did you mean 'every'?", "tables"]),
    "wrong-value": ("mode: merge", "mode: marge", [MODE, "allowed: append, merge, replace"]),
    "wrong-type": ("calls_per_minute: ", "calls_per_minute: x", ["found 'x", "a whole number"]),
    "bad-schedule": ("every: PT15M", "every: PT7M", ["every: ", "'PT7M'", "PT15M"]),
    "tab": ("every: PT15M", "\tevery: PT15M", ["column 1: found"]),
    "twice": ("every: PT15M", "every: PT15M\nevery: PT30M", ["every: "]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_endpoint_yaml_is_told_wherever_it_is_met(tree: Tree, name: str) -> None:
    """`endpoints`, `endpoints --check`, `run` and the function say the same: line, key, found, allowed."""
    old, new, says = MISTAKES[name]
    before = (tree.root / CRIMES).read_text(encoding="utf-8").partition(old)[0]
    number = before.count("\n") + new.count("\n") + 1
    tree.edit(CRIMES, (old, new))
    with Process(
        [BIN / "functions-framework", "--target=crimes", "--port=0"],
        folder=tree.root / "process",
        env=tree.env,
        cwd=tree.root / "functions" / "crimes",
    ) as process:
        assert process.wait() not in {0, -9, -11}
        function = process.stderr + process.stdout
    listed = tree("endpoints", code=1)
    told = [
        listed.stderr,
        tree("endpoints", "--check", code=1).stderr,
        tree("run", "crimes", code=1).stderr,
        function,
    ]
    assert "items\tPT6H" in listed.stdout, "the other endpoints are listed all the same"
    for text in told:
        assert f"{CRIMES}: " in text
        assert f"line {number}" in text
        assert all(each in text for each in says), text
        assert "Traceback" not in text
    assert not (tree.root / "data").exists()


def test_an_endpoint_is_collected_while_another_has_a_mistake(tree: Tree) -> None:
    """A mistake in one file stops no other endpoint."""
    tree.edit(CRIMES, ("mode: merge", "mode: marge"))
    assert "items\t" in tree("run", "items", code=0).stdout


@pytest.mark.parametrize("file", ["README.md", "functions/endpoint.schema.json"])
def test_a_stale_file_is_named_and_made_again(tree: Tree, file: str) -> None:
    """The check names the file and what to do; `--generate` writes it as it was, and no other."""
    whole = (tree.root / file).read_text(encoding="utf-8")
    change = ("| PT15M |", "| PT16M |") if file == "README.md" else ('"title"', '"tilte"')
    tree("endpoints", "--check", code=0)
    tree.edit(file, change)
    told = tree("endpoints", "--check", code=1).stderr
    assert told == f"{file} is not what the code says: run make generate\n"
    assert tree("endpoints", "--generate", code=0).stdout == f"wrote {file}\n"
    assert (tree.root / file).read_text(encoding="utf-8") == whole
    tree("endpoints", "--check", code=0)


def test_a_file_that_is_missing_is_made(tree: Tree) -> None:
    """Without the schema the check fails, and making it heals that."""
    (tree.root / "functions" / "endpoint.schema.json").unlink()
    assert "endpoint.schema.json is not what the code says" in tree("endpoints", "--check", code=1).stderr
    assert tree("endpoints", "--generate", code=0).stdout == "wrote functions/endpoint.schema.json\n"


def test_a_new_column_makes_the_readme_stale(tree: Tree) -> None:
    """Who adds a column and forgets the README is told by the check."""
    old = "      difficulty:"
    tree.edit(CRIMES, (old, f"      new_one: {{type: INTEGER, from: new_one, description: New.}}\n{old}"))
    assert "README.md is not what the code says" in tree("endpoints", "--check", code=1).stderr


def test_a_mistake_in_one_file_holds_up_no_other(tree: Tree) -> None:
    """Asked for several, an endpoint that cannot be read is told, and the others are collected."""
    tree.edit(CRIMES, ("mode: merge", "mode: marge"))
    done = tree("run", "crimes", "items", "members", code=1)
    assert MODE in done.stderr
    assert "2 of 3 are good; not: crimes (failed)" in done.stderr
    assert [line.split("\t")[2:] for line in done.stdout.splitlines() if line.startswith("items\t")] == [
        ["items", "ok"]
    ]
