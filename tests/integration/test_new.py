"""`tcdatalogger new`: an endpoint for a path of the API, which runs at once, or nothing at all."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from support.any_body import AnyApi
from support.inputs import SPEC, needed
from support.processes import BIN, until
from support.tree import Tree

from shared.cli.new import _put, write_folder
from shared.errors import EndpointInvalid, FixConfiguration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KEY = "SomeKey000000001"
INTEGER = {"type": "integer", "format": "int32"}
LINKS = {"type": "object", "properties": {"next": {"type": ["string", "null"]}}, "required": ["next"]}
ATTACK = {
    "type": "object",
    "required": ["id", "started", "result", "effects"],
    "properties": {
        "id": INTEGER,
        "started": INTEGER,
        "result": {"enum": ["Lost", "Mugged"]},
        "effects": {"type": "array", "items": {"type": "string"}},
    },
}
ATTACKS = {
    "type": "object",
    "required": ["attacks", "_metadata"],
    "properties": {
        "attacks": {"type": "array", "items": ATTACK},
        "_metadata": {"type": "object", "properties": {"links": LINKS}, "required": ["links"]},
    },
}
ID = {"name": "id", "in": "path", "required": True, "schema": INTEGER}


def get(schema: dict[str, Any], kind: str = "application/json", **more: Any) -> dict[str, Any]:
    return {"get": {"responses": {"200": {"content": {kind: {"schema": schema}}}}, **more}}


DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Small", "version": "1"},
    "paths": {
        "/faction/attacks": get(ATTACKS, summary="Get your faction's attacks"),
        "/faction/{id}/attacks": get(ATTACKS, parameters=[ID]),
        "/faction/snapshot": get({"type": "string"}, "text/csv"),
        "/faction/post": {"post": {}},
    },
}


class Copy(Tree):
    """A copy of the repository, and a document in it."""

    @property
    def functions(self) -> Path:
        return self.root / "functions"

    def command(self, *words: str, code: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the command with further variables in its environment."""
        done = subprocess.run(
            [BIN / "tcdatalogger", *words], cwd=self.root, env={**self.env, **more},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, encoding="utf-8")

    def listing(self) -> set[str]:
        return {str(file.relative_to(self.functions)) for file in self.functions.rglob("*")}


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Copy]:
    """Give a copy of what the command reads of the repository."""
    copy = Copy.copy(tmp_path / "tree", "pyproject.toml")
    copy.write("spec.json", json.dumps(DOCUMENT))
    yield copy
    # It is large, and of no use to anyone afterwards.
    shutil.rmtree(copy.root)


def test_a_new_endpoint_collects_at_once(tree: Copy) -> None:
    """It says what it wrote and what is to decide; the endpoint then runs, and its rows are there."""
    said = tree.command("new", "/faction/attacks", "--spec", "spec.json").stdout
    assert "wrote functions/faction_attacks/endpoint.yaml" in said
    assert "wrote functions/faction_attacks/main.py" in said
    assert "key: id is proposed" in said
    assert "proposed as TIMESTAMP, by their names: faction_attacks.started" in said
    assert "next: tcdatalogger run faction_attacks --dry-run" in said
    assert "/faction/attacks" in tree.command("run", "faction_attacks", "--dry-run", TORN_API_KEY=KEY).stdout
    first = {"id": 1, "started": 1_790_000_000, "result": "Lost", "effects": ["plunder", "stricken"]}
    second = {"id": 2, "started": 1_780_000_000, "result": "Assist", "effects": []}
    pages = [{"attacks": [one], "_metadata": {}} for one in (first, second)]
    place = {"WAREHOUSE": f"duckdb:{tree.root}/w.duckdb", "ARCHIVE": f"file:{tree.root}/archive"}
    with AnyApi(pages) as api:
        done = tree.command(
            "run", "faction_attacks", "--json",
            TORN_API_URL=api.url, TORN_API_KEY=KEY, **place,
        )  # fmt: skip
        assert len(api.heard) == 2
    (run,) = json.loads(done.stdout)
    assert run["outcome"] == "ok"
    rows = json.loads(
        tree.command(
            "query", "--json",
            "SELECT a.id, started::DATE::VARCHAR AS day, effect FROM faction_attacks a "
            "LEFT JOIN faction_attacks_effects ON attack_id = a.id ORDER BY a.id, effect_index",
            **place,
        ).stdout
    )  # fmt: skip
    assert rows == [
        {"id": 1, "day": "2026-09-21", "effect": "plunder"},
        {"id": 1, "day": "2026-09-21", "effect": "stricken"},
        {"id": 2, "day": "2026-05-28", "effect": None},
    ]


def test_a_function_of_a_new_endpoint_is_like_the_others(tree: Copy) -> None:
    """main.py has the function that the framework is told to serve, and imports as the others do."""
    tree.command("new", "/faction/attacks", "--spec", "spec.json", "--name", "attacks")
    code = "import main; assert callable(main.attacks); print(main.collector.endpoint.name)"
    done = subprocess.run(
        [BIN / "python", "-c", code], cwd=tree.functions / "attacks", env=tree.env,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "attacks", done.stderr
    linted = subprocess.run(
        [BIN / "ruff", "check", "functions/attacks"],
        cwd=tree.root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert linted.returncode == 0, linted.stdout


def test_what_a_path_leaves_open_is_decided_now_or_later(tree: Copy) -> None:
    """Without a value the file says TODO and a message gives it; with --set it stands under params."""
    words = ["new", "/faction/{id}/attacks", "--spec", "spec.json", "--name", "theirs"]
    assert "id has no value" in tree.command(*words).stdout
    file = tree.functions / "theirs" / "endpoint.yaml"
    assert "# TODO: id has no value" in file.read_text()
    key = {"TORN_API_KEY": KEY}
    assert "/faction/77/attacks" in tree.command("run", "theirs", "--set", "id=77", "--dry-run", **key).stdout
    assert "id has no value" not in tree.command(*words, "--set", "id=5", "--force").stdout
    assert "TODO:" not in file.read_text()
    assert "/faction/5/attacks" in tree.command("run", "theirs", "--dry-run", **key).stdout


def test_a_second_time_needs_force_and_gives_the_same_bytes(tree: Copy) -> None:
    """Nothing is overwritten unasked; made again, the files are the same, and others in the folder stay."""
    words = ["new", "/faction/attacks", "--spec", "spec.json"]
    tree.command(*words)
    folder = tree.functions / "faction_attacks"
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    (folder / "main.py").write_text("changed")
    (folder / "released.json").write_text("{}")
    refused = tree.command(*words, code=2)
    assert "functions/faction_attacks is there already" in refused.stderr
    assert "--force" in refused.stderr
    assert (folder / "main.py").read_text() == "changed"
    tree.command(*words, "--force")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {**before, "released.json": b"{}"}
    assert not list(tree.functions.glob(".new-*"))


def test_names_of_the_ledger_and_of_other_endpoints_are_left_to_them(tree: Copy) -> None:
    """A table that would have such a name gets a prefix."""
    assert (
        "tables: torn_drift, torn_drift_effects"
        in tree.command("new", "/faction/attacks", "--spec", "spec.json", "--name", "drift").stdout
    )
    tree.command("new", "/faction/attacks", "--spec", "spec.json", "--name", "crimes_slots")
    assert "torn_crimes_slots:" in (tree.functions / "crimes_slots" / "endpoint.yaml").read_text()
    assert not tree.command("endpoints").stderr


MISTAKES: dict[str, tuple[list[str], int, list[str]]] = {
    "unknown path": (
        ["/faction/atacks"],
        2,
        ["has no GET of /faction/atacks", "Did you mean /faction/attacks"],
    ),
    "path far from any": (["/x"], 1, ["'/x' is not there", "there are 3 paths"]),
    "no GET": (["/faction/post"], 2, ["has no GET of /faction/post"]),
    "no JSON": (["/faction/snapshot"], 1, ["the answer is text/csv", "answers with JSON"]),
    "no such file": (["/faction/attacks", "--spec", "none.json"], 2, ["'none.json' does not exist"]),
    "no JSON file": (["/faction/attacks", "--spec", "broken.json"], 1, ["broken.json: it is not JSON"]),
    "no OpenAPI": (["/faction/attacks", "--spec", "other.json"], 1, ["other.json", "'openapi' is missing"]),
    "no paths": (["/faction/attacks", "--spec", "empty.json"], 1, ["empty.json", "'paths' is missing"]),
    "old OpenAPI": (["/faction/attacks", "--spec", "old.json"], 1, ["swagger: found 2.0"]),
    "bad name": (["/faction/attacks", "--name", "My Attacks"], 2, ["'My Attacks' cannot be", "letters"]),
    "Python's name": (["/faction/attacks", "--name", "import"], 2, ["a word of Python's"]),
    "no parameter": (["/faction/attacks", "--set", "id=1"], 2, ["has no parameter 'id'"]),
    "no value": (["/faction/{id}/attacks", "--set", "id"], 2, ["is not NAME=VALUE"]),
    "path in a path": (["/faction/{id}/attacks", "--set", "id=../x"], 2, ["in a path there may be"]),
}


def test_mistakes_are_told_and_nothing_is_written(tree: Copy) -> None:
    """Each names what is wrong and what to do, and exits with 1, or 2 where it was called wrongly."""
    tree.write("broken.json", "{")
    tree.write("other.json", "{}")
    tree.write("empty.json", '{"openapi": "3.1.0"}')
    tree.write("old.json", '{"swagger": "2.0"}')
    before = tree.listing()
    for words, code, says in MISTAKES.values():
        spec = [] if "--spec" in words else ["--spec", "spec.json"]
        told = tree.command("new", *words, *spec, code=code).stderr
        assert all(text in " ".join(told.split()) for text in says), told
    assert tree.listing() == before


def test_ctrl_c_leaves_nothing(tree: Copy) -> None:
    """Stopped while it reads the document, the command ends with 130 and has written nothing."""
    before = tree.listing()
    pipe = tree.root / "pipe.json"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [BIN / "tcdatalogger", "new", "/faction/attacks", "--spec", str(pipe)],
        cwd=tree.root, env=tree.env, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        # The pipe opens when the command reads it, and is not ended until it was told to stop.
        with pipe.open("w") as document:
            document.write("{")
            document.flush()
            # A signal between a look for one and the wait for more would be seen after the wait alone.
            until(lambda: _waits(process.pid), what="it waits for the rest", timeout=60)
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    assert "stopped" in told
    assert tree.listing() == before


def _waits(pid: int) -> bool:
    """Say whether a process is waiting for what a pipe will bring, where the system tells."""
    waits = Path(f"/proc/{pid}/wchan")
    return not waits.exists() or "pipe" in waits.read_text(encoding="ascii")


class Interrupted(dict[str, str]):
    """Files whose writing is stopped after the first."""

    def items(self) -> Any:
        yield "main.py", "new"
        raise KeyboardInterrupt


GOOD = """
name: thing
description: Made up.
source: torn
requests: {thing: {path: /x}}
every: P1D
key: k
calls_per_minute: 1
tables: {thing: {columns: {a: {type: STRING, from: a}}}}
"""


@pytest.mark.parametrize(
    ("files", "error"),
    [
        (Interrupted(), KeyboardInterrupt),
        ({"main.py": "new", "endpoint.yaml": "name: thing"}, EndpointInvalid),
        ({"main.py": "new", "no/such/folder": ""}, FixConfiguration),
    ],
    ids=["stopped", "invalid", "refused by the disk"],
)
@pytest.mark.parametrize("before", ["old", None], ids=["again", "new"])
def test_what_does_not_succeed_changes_nothing(
    tmp_path: Path, files: Mapping[str, str], error: type[BaseException], before: str | None
) -> None:
    """Stopped in the middle, invalid or refused: what was there is there as it was, and nothing else."""
    folder = tmp_path / "thing"
    if before is not None:
        folder.mkdir()
        (folder / "main.py").write_text(before)
    with pytest.raises(error):
        write_folder(folder, files)
    assert [file.name for file in tmp_path.iterdir()] == ([] if before is None else ["thing"])
    if before is not None:
        assert (folder / "main.py").read_text() == before
        write_folder(folder, {"main.py": "new", "endpoint.yaml": GOOD})
        assert (folder / "main.py").read_text() == "new"
        assert [file.name for file in tmp_path.iterdir()] == ["thing"]


def test_a_folder_that_cannot_be_put_in_its_place_leaves_the_old_one(tmp_path: Path) -> None:
    """If the last step is refused, here for lack of the way between two disks, the old folder is put back."""
    other = Path("/dev/shm")  # noqa: S108 - another file system, if there is one
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    folder = tmp_path / "thing"
    folder.mkdir()
    (folder / "main.py").write_text("old")
    with TemporaryDirectory(dir=other) as aside:
        made = Path(aside) / "thing"
        made.mkdir()
        (made / "main.py").write_text("new")
        with pytest.raises(OSError, match="cross-device"):
            _put(made, folder, tmp_path / "before")
    assert [file.name for file in tmp_path.iterdir()] == ["thing"]
    assert (folder / "main.py").read_text() == "old"


def test_a_path_of_the_official_document(tree: Copy) -> None:
    """The real document: one command, and the endpoint lists its columns."""
    spec = str(needed(SPEC))
    said = tree.command("new", "/faction/attacks", "--spec", spec).stdout
    assert "tables: faction_attacks, faction_attacks_finishing_hit_effects" in said
    text = (tree.functions / "faction_attacks" / "endpoint.yaml").read_text()
    assert "Requires limited access key with faction API access permissions." in text
    assert "params: {limit: 100, sort: DESC}" in text
    assert "window: {from: from, to: to}" in text
    columns = tree.command("endpoints", "faction_attacks", "--json").stdout
    assert "attacker_faction_name" in columns
