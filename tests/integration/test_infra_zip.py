"""What is deployed: a zip of what the function needs and nothing else, the same from every checkout."""

from __future__ import annotations

import ast
import json
import re
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple
from zipfile import ZipFile

import pytest
from support.plan import Plan
from support.processes import ROOT
from support.terraform import Checkout, planned, planned_sources

from shared.endpoint_file import find_endpoints, load_endpoint
from shared.job import find_jobs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.timeout(300)

FOLDERS = {name: file.parent for name, file in (find_endpoints() | find_jobs()).items()}
#: What only the laptop has: the warehouse of the laptop, and what turns SQL into its dialect.
LAPTOP = re.compile(r"\bduckdb|shared\.views\.translate$")
#: What is read at run time without being imported.
DATA = re.compile(r"shared/views/(ledger/)?\w+\.sql")
TARGET = "-target=google_storage_bucket_object.source"


class Sources(NamedTuple):
    """The zips of a checkout, by function."""

    zips: dict[str, Path]

    def bytes(self) -> dict[str, bytes]:
        """Return each zip as it is deployed."""
        return {name: zipped.read_bytes() for name, zipped in self.zips.items()}

    def files(self, name: str) -> dict[str, str]:
        """Return what is in a function's zip."""
        with ZipFile(self.zips[name]) as source:
            return {file: source.read(file).decode() for file in source.namelist()}


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    """Give the zips of the repository as it is."""
    return Sources(planned_sources(tmp_path_factory))


@pytest.mark.parametrize("name", FOLDERS)
def test_object_is_named_after_what_is_in_it(
    sources: Sources, name: str, tmp_path_factory: pytest.TempPathFactory
):
    """The object's name, which the function's source is, is the hash of the zip's files and their names."""
    files = sources.files(name).items()
    lines = [f"{sha256(text.encode()).hexdigest()} {file}" for file, text in sorted(files)]
    plan = planned(tmp_path_factory, zips=True)
    (build,) = plan.each("google_cloudfunctions2_function.this")[name]["build_config"]
    digest = sha256("\n".join(lines).encode()).hexdigest()
    assert build["source"][0]["storage_source"][0]["object"] == f"{name}/{digest}.zip"
    assert plan.each("google_storage_bucket_object.source")[name]["name"] == f"{name}/{digest}.zip"


def test_what_is_planned_does_not_depend_on_the_zips(tmp_path_factory: pytest.TempPathFactory):
    """With zips of nothing, which other tests plan with, every resource is the same to the letter."""
    assert planned(tmp_path_factory, zips=True).resources == planned(tmp_path_factory).resources


@pytest.mark.parametrize("name", FOLDERS)
def test_zip_has_what_is_imported_and_nothing_else(sources: Sources, name: str):
    """Every module that main.py leads to is there, also one that is imported late, and no other is."""
    files = sources.files(name)
    modules = {file for file in files if file.startswith("shared/") and file.endswith(".py")}
    assert modules == reached(FOLDERS[name] / "main.py")
    data = {file for file in files if DATA.fullmatch(file)}
    assert data == {file for file in everything("*.sql") if DATA.fullmatch(file)}
    declared = {"tables.json", "job.yaml"} if "job.yaml" in files else {"endpoint.yaml"}
    assert files.keys() == modules | data | declared | {"main.py", "requirements.txt"}


@pytest.mark.parametrize("name", FOLDERS)
def test_zip_has_the_folders_own_files(sources: Sources, name: str):
    """The function's code and declaration are its folder's; the packages are those that are locked."""
    files = sources.files(name)
    for file in files.keys() & {"main.py", "endpoint.yaml", "job.yaml"}:
        assert files[file] == (FOLDERS[name] / file).read_text(encoding="utf-8")
    assert files["requirements.txt"] == (ROOT / "functions" / "requirements.txt").read_text(encoding="utf-8")


def test_another_checkout_gives_the_same(
    sources: Sources, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
):
    """Where it is, when it was written, who may read it and how lines end changes no zip and no name.

    Neither does what is not deployed: the command, what Python compiled, other files.
    """
    checkout = Checkout.copy(tmp_path / "elsewhere" / "other name", tmp_path_factory, zips=True)
    for file in checkout.root.rglob("*"):
        if file.suffix in {".py", ".yaml", ".sql", ".txt"} and file.is_file():
            file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
            file.chmod(0o755 if file.suffix == ".py" else 0o600)
    (checkout.root / "shared" / "__pycache__").mkdir()
    (checkout.root / "shared" / "__pycache__" / "errors.cpython-313.pyc").write_bytes(b"compiled")
    append(checkout.root / "shared" / "cli" / "__init__.py", "\n# changed")
    (checkout.root / "functions" / "crimes" / "notes.txt").write_text("not deployed", encoding="utf-8")
    assert changed(sources.bytes(), Sources(checkout.sources()).bytes()) == set()


def test_what_changes_is_deployed_alone(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory):
    """A change in a function's folder makes its object alone another; one in the package, all.

    Objects are named after what is in their zips, so that the zips themselves need not be written.
    """
    before = objects(planned(tmp_path_factory))
    checkout = Checkout.copy(tmp_path / "copy", tmp_path_factory)

    append(checkout.root / "functions" / "crimes" / "main.py", "\n# changed")
    append(checkout.root / "functions" / "items" / "endpoint.yaml", "\n# changed")
    in_folders = objects(Plan.read(checkout.plan(TARGET)))
    assert changed(before, in_folders) == {"crimes", "items"}

    append(checkout.root / "shared" / "errors.py", "\n# changed")
    assert changed(in_folders, objects(Plan.read(checkout.plan(TARGET)))) == FOLDERS.keys()


def test_backup_knows_the_tables_by_name(sources: Sources):
    """The backup has the names of all endpoints' tables, and nothing else of the endpoints."""
    tables = [table for file in find_endpoints().values() for table in load_endpoint(file).tables]
    assert json.loads(sources.files("backup")["tables.json"]) == sorted(tables)


def objects(plan: Plan) -> dict[str, str]:
    """Return the name of the object that each function is deployed from."""
    return {name: one["name"] for name, one in plan.each("google_storage_bucket_object.source").items()}


def changed(before: Mapping[str, object], after: Mapping[str, object]) -> set[str]:
    assert before.keys() == after.keys() == FOLDERS.keys()
    return {name for name in before if before[name] != after[name]}


def append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8") as end:
        end.write(text)


def everything(pattern: str) -> set[str]:
    return {file.relative_to(ROOT).as_posix() for file in (ROOT / "shared").rglob(pattern)}


def reached(main: Path) -> set[str]:
    """Return the files of the package that a file leads to by imports, wherever they stand in a module."""
    there = everything("*.py")
    found: set[str] = set()
    ahead = list(imported(main))
    while ahead:
        module = ahead.pop()
        parts = module.split(".")
        if parts[0] != "shared" or LAPTOP.search(module):
            continue
        for end in range(1, len(parts) + 1):
            path = PurePosixPath(*parts[:end])
            for file in {f"{path}.py", f"{path}/__init__.py"} & there - found:
                found.add(file)
                ahead += imported(ROOT / file)
    return found


def imported(file: Path) -> Iterator[str]:
    """Yield the modules that a file imports, less those for the type checker alone."""
    ahead: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
    while ahead:
        node = ahead.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            ahead += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            # What is imported from a package may be a module of it.
            yield from (f"{node.module}.{name.name}" for name in node.names)
        ahead += ast.iter_child_nodes(node)
