"""``tcdatalogger schema`` in a copy of the repository, where endpoints are changed and released."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.processes import unmeasured

from shared.endpoint_file import find_endpoints
from shared.released import RELEASED
from shared.settings import ROOT

TCDATALOGGER = str(Path(sys.executable).with_name("tcdatalogger"))


class Copy:
    """A copy of the package and of some endpoints, and the command as it runs there."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "shared", folder / "shared", ignore=shutil.ignore_patterns("__pycache__"))
        for name in names:
            shutil.copytree(ROOT / "functions" / name, folder / "functions" / name)
            # Whatever version it has here, its life begins anew.
            file = folder / "functions" / name / "endpoint.yaml"
            file.write_text(re.sub(r"(?m)^version: \d+$", "version: 1", file.read_text(encoding="utf-8")))
        # The copy is not what is measured.
        self.env = {name: value for name, value in os.environ.items() if name not in unmeasured()}

    def __call__(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-c", "from shared.cli import main; main()", *words],
            cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def change(self, name: str, *changes: tuple[str, str]) -> None:
        file = self.folder / "functions" / name / "endpoint.yaml"
        text = file.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        file.write_text(text, encoding="utf-8")

    def released(self, name: str) -> Path:
        return self.folder / "functions" / name / RELEASED


@pytest.fixture(name="copy")
def _copy(tmp_path):
    copy = Copy(tmp_path, "crimes", "items")
    for name in ("crimes", "items"):
        copy.released(name).unlink(missing_ok=True)
    copy("schema", "release")
    return copy


def states(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Return each endpoint's state as the piped table has it."""
    return {line.split("\t")[0]: line.split("\t")[4] for line in done.stdout.splitlines()[1:]}


def test_the_repository_itself_is_released():
    """What stands here passes, and each fingerprint is the one that the warehouse notes."""
    done = subprocess.run(
        [TCDATALOGGER, "schema", "check", "--json"], capture_output=True, text=True, timeout=60, check=True
    )
    told = {one["endpoint"]: one for one in json.loads(done.stdout)}
    assert list(told) == list(find_endpoints())
    assert {(one["state"], *one["problems"]) for one in told.values()} == {("as released",)}
    assert all(len(one["fingerprint"]) == 64 for one in told.values())


def test_two_processes_at_once_note_a_version_once(tmp_path):
    """Both find no tables; one makes them and says so, and the fingerprint is the one `check` prints."""
    place = {"WAREHOUSE": f"duckdb:{tmp_path}/w.duckdb", "ARCHIVE": f"file:{tmp_path}/archive"}
    env = {**os.environ, **place}
    runs = [
        subprocess.Popen([TCDATALOGGER, "run", "items"], env=env, stdout=subprocess.DEVNULL) for _ in range(2)
    ]
    try:
        assert [run.wait(60) for run in runs] == [0, 0]
    finally:
        for run in runs:
            run.kill()
            run.wait()
    asked = "SELECT fingerprint FROM schema_versions WHERE endpoint = 'items'"
    told = [["query", asked, "--json"], ["schema", "check", "items", "--json"]]
    noted, checked = (
        json.loads(
            subprocess.run(
                [TCDATALOGGER, *words], env=env, capture_output=True, text=True, timeout=60, check=True
            ).stdout
        )
        for words in told
    )
    assert noted == [{"fingerprint": checked[0]["fingerprint"]}]


def test_a_new_endpoint_passes_with_a_note_and_is_released_at_version_1(tmp_path):
    """Before its first release there is nothing to hold it to; afterwards there is."""
    copy = Copy(tmp_path, "items")
    copy.released("items").unlink(missing_ok=True)
    checked = copy("schema", "check")
    assert states(checked) == {"items": "not released yet"}
    assert "tcdatalogger schema release items" in checked.stderr
    assert copy("schema", "release").stdout == "wrote functions/items/released.json: version 1\n"
    assert states(copy("schema", "check")) == {"items": "as released"}
    assert json.loads(copy.released("items").read_bytes())["version"] == 1


def test_a_release_without_changes_writes_nothing(copy):
    """The files stay as they are, to the byte and the second."""
    before = copy.released("crimes").stat().st_mtime_ns
    assert copy("schema", "release").stdout == ""
    assert copy.released("crimes").stat().st_mtime_ns == before


def test_every_loss_is_listed_with_what_to_do_and_nothing_is_released(copy):
    """File, table, column, was, is, next step; for all endpoints at once; exit 1."""
    copy.change(
        "crimes",
        ("version: 1", "version: 2"),
        ("      difficulty: {type", "      hardness: {type"),
        ("quantity: {type: INTEGER", "quantity: {type: FLOAT"),
        ("    partition: created_at\n", "    partition: planning_at\n"),
    )  # fmt: skip
    copy.change(
        "items", ("circulation: {type: INTEGER", "circulation: {type: STRING"), (", check: {min: 0}", "")
    )
    before = copy.released("crimes").read_bytes()
    done = copy("schema", "check", code=1)
    place = "functions/crimes/endpoint.yaml: crimes"
    assert done.stderr.splitlines()[:9] == [
        f"{place}: partition: was created_at, is planning_at",
        "  next: keep the table as it was; declare a new one beside it",
        f"{place}.difficulty: the column is gone: was INTEGER",
        "  next: keep it as it was, NULLABLE and without `from`, and say so in its description",
        f"{place}.hardness: new column, not the last: INTEGER",
        "  next: move it to the end, below 'rewards_payout_paid_at'",
        f"{place}_reward_items.quantity: type: was INTEGER, is FLOAT",
        "  next: keep the column as it was, NULLABLE and without `from`; declare a new one beside it, last",
        "functions/items/endpoint.yaml: items.circulation: type: was INTEGER, is STRING",
    ]
    assert states(done) == {"crimes": "refused", "items": "refused"}
    assert copy("schema", "release", code=1).stdout == ""
    assert copy.released("crimes").read_bytes() == before
    assert "items" not in copy("schema", "check", "crimes", code=1).stdout.split()


def test_a_new_column_is_released_with_the_next_version(copy):
    """check says to raise the version, then to release it; then all is well."""
    column = "      name2: {type: STRING, from: name2, description: Another.}\n"
    last = '      vendor_name: {type: STRING, from: value.vendor.name, description: "The vendor\'s shop."}\n'
    copy.change("items", (last, last + column))
    done = copy("schema", "check", code=1)
    assert "items.name2: new column: STRING" in done.stderr
    assert "next: raise `version` to 2 and run `tcdatalogger schema release`" in done.stderr
    assert "raise `version`" in copy("schema", "release", code=1).stderr
    copy.change("items", ("version: 1", "version: 2"))
    done = copy("schema", "check", code=1)
    assert states(done) == {"crimes": "as released", "items": "to be released"}
    [items] = json.loads(copy("schema", "check", "items", "--json", code=1).stdout)
    assert items["problems"][-1] == {
        "file": "functions/items/endpoint.yaml", "table": None, "column": None, "what": "version",
        "was": "1", "is": "2", "refused": False, "next_step": "run `tcdatalogger schema release`",
    }  # fmt: skip
    before = copy.released("items").read_text(encoding="utf-8").splitlines()
    assert "version 2" in copy("schema", "release", "items").stdout
    after = copy.released("items").read_text(encoding="utf-8").splitlines()
    # A review sees the version, the column, and the comma before it.
    assert len([line for line in after if line not in before]) == 3
    copy("schema", "check")


def test_what_cannot_be_compared_holds_up_no_other(copy):
    """A broken released file and a broken endpoint.yaml are named, the rest is compared all the same."""
    copy.released("crimes").write_text("{", encoding="utf-8")
    done = copy("schema", "check", code=1)
    assert "functions/crimes/released.json: line 1, column 2" in done.stderr
    assert "next: restore the file from version control" in done.stderr
    assert states(done) == {"crimes": "cannot be compared", "items": "as released"}
    copy.change("items", ("type: STRING", "type: TEXT"))
    [crimes, items] = json.loads(copy("schema", "check", "--json", code=1).stdout)
    assert crimes["problems"][0]["what"].startswith("functions/crimes/released.json")
    assert "found 'TEXT'; allowed: " in items["problems"][0]["what"]
    assert copy("schema", "release", code=1).stdout == ""


def test_a_table_has_one_owner(copy):
    """Two endpoints that fill one table are refused, both, before either is released."""
    copy.change("crimes", ("  crimes_reward_items:\n", "  items_shops:\n"))
    copy.released("crimes").unlink()
    done = copy("schema", "release", code=1)
    assert "functions/crimes/endpoint.yaml: items_shops: the table has two owners" in done.stderr
    assert done.stdout == ""
    assert states(copy("schema", "check", code=1)) == {"crimes": "refused", "items": "refused"}


def test_a_wrong_call_says_what_is_right(copy):
    """An endpoint or subcommand that is not there is answered with what there is."""
    assert "There are: crimes, items" in copy("schema", "check", "crims", code=2).stderr
    assert "No such command 'chekc'" in copy("schema", "chekc", code=2).stderr
    assert "release" in copy("schema", code=2).stderr
