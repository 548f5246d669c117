"""A commit is planned, applied, verified and settled, as the build does it; or taken back."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest
import yaml
from support.inputs import needed
from support.processes import BIN, ROOT, environment, require
from support.terraform import OFFLINE, PROJECT, without_zips

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(240)

_LEAVE = shutil.ignore_patterns("__pycache__", ".terraform", ".build", ".delivery", "*.tfvars", "*.tfstate*")
_FUNCTION = 'google_cloudfunctions2_function.this["currency"]'
_AUTHOR = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false")


class Done(NamedTuple):
    code: int
    said: str


class Repository:
    """A checkout with one endpoint, whose state stands in a bucket of its own."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "repository"
        self._terraform = str(needed(OFFLINE))
        self._state = folder / "state"
        for name in ("infra", "shared"):
            shutil.copytree(ROOT / name, self.root / name, ignore=_LEAVE)
        shutil.copytree(ROOT / "functions" / "currency", self.root / "functions" / "currency", ignore=_LEAVE)
        for name in ("endpoint.schema.json", "requirements.txt"):
            shutil.copy(ROOT / "functions" / name, self.root / "functions")
        shutil.copy(ROOT / ".gitignore", self.root)
        without_zips(self.root / "infra")
        self._git("init", "--quiet", "--initial-branch=main")
        self.commit = self.changed()

    def changed(self, text: str = "") -> str:
        """Commit the function with a line more; return the commit."""
        with (self.root / "functions" / "currency" / "main.py").open("a", encoding="utf-8") as main:
            main.write(text)
        self._git("add", "--all")
        self._git(*_AUTHOR, "commit", "--quiet", "--message", "Change", "--allow-empty")
        self.commit = self._git("rev-parse", "HEAD").strip()
        return self.commit

    def deliver(self, *steps: str, **settings: str) -> Done:
        """Run the script's steps until one fails."""
        env = {
            "STATE_BUCKET": "demo-tfstate",
            "PROJECT": PROJECT,
            "COMMIT": self.commit,
            "TERRAFORM": self._terraform,
            "TCDATALOGGER": str(BIN / "tcdatalogger"),
            **settings,
        }
        said = ""
        for step in steps:
            done = self._run(str(self.root / "infra" / "deliver.sh"), step, **env)
            said += done.stdout + done.stderr
            if done.returncode:
                return Done(done.returncode, said)
        return Done(0, said)

    def deployed(self) -> str:
        """Return the object that the function is deployed from."""
        done = self._run(self._terraform, "-chdir=infra", "state", "show", "-no-color", _FUNCTION)
        (line,) = (line for line in done.stdout.splitlines() if line.strip().startswith("object "))
        return line.split('"')[1]

    def output(self, name: str) -> str:
        return self._run(self._terraform, "-chdir=infra", "output", "-raw", name).stdout

    def _git(self, *words: str) -> str:
        done = self._run(require("git"), *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _run(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        env = environment(
            NO_COLOR="1",
            TF_IN_AUTOMATION="1",
            CHECKPOINT_DISABLE="1",
            TF_OFFLINE_STATE=str(self._state),
            **settings,
        )
        return subprocess.run(
            words, cwd=self.root, env=env, capture_output=True, text=True, check=False, timeout=200
        )


@pytest.fixture
def repository(tmp_path):
    require("terraform")
    return Repository(tmp_path)


def test_what_does_not_work_is_taken_back(repository):
    """The functions run the sources of the commit before, and the build fails."""
    first = repository.commit
    assert repository.deliver("plan", "apply").code == 0
    good = repository.deployed()
    second = repository.changed("\n# A change that breaks it.\n")
    done = repository.deliver("plan", "apply")
    assert done.code == 0
    assert repository.deployed() != good
    assert repository.output("commit") == second
    # Nothing answers there: the message cannot be published, so that nothing is verified.
    verified = repository.deliver("verify", PUBSUB_EMULATOR_HOST="127.0.0.1:9")
    assert verified.code == 1
    assert "the Pub/Sub emulator does not answer" in verified.said
    settled = repository.deliver("settle")
    assert settled.code == 1
    assert f"back at {first}" in settled.said
    assert repository.deployed() == good
    assert repository.output("commit") == first
    assert not (repository.root / "infra" / ".delivery" / "before").exists()


def test_the_first_deployment_has_no_way_back(repository):
    """It says so, and leaves what is there for a person to look at."""
    assert repository.deliver("plan", "apply").code == 0
    there = repository.deployed()
    done = repository.deliver("settle")
    assert done.code == 1
    assert "there is none before it to go back to" in done.said
    assert repository.deployed() == there


@pytest.mark.parametrize(
    ("step", "settings", "said"),
    [
        ("plan", {"STATE_BUCKET": ""}, "STATE_BUCKET is not set"),
        ("plan", {"COMMIT": ""}, "COMMIT is not set"),
        ("verify", {"PROJECT": ""}, "PROJECT is not set"),
        ("apply", {}, "no plan; run: infra/deliver.sh plan"),
        ("deploy", {}, "usage: infra/deliver.sh plan|apply|verify|settle"),
    ],
)
def test_a_call_that_cannot_be_done_says_why(tmp_path, step, settings, said):
    """And does nothing."""
    script = tmp_path / "infra" / "deliver.sh"
    script.parent.mkdir()
    shutil.copy(ROOT / "infra" / "deliver.sh", script)
    env = environment(
        **{"STATE_BUCKET": "b", "PROJECT": "p", "COMMIT": "c", "TERRAFORM": "/nowhere", **settings}
    )
    done = subprocess.run([script, step], env=env, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_the_build_runs_every_step_of_the_script():
    """cloudbuild.yaml names steps that are there, in an order that holds, and applies on main alone."""
    build = yaml.safe_load((ROOT / "cloudbuild.yaml").read_text(encoding="utf-8"))
    scripts = {step["id"]: step["script"] for step in build["steps"]}
    for step in ("plan", "apply", "verify", "settle"):
        assert f"infra/deliver.sh {step}" in scripts[step]
    for step in ("apply", "verify", "settle"):
        assert 'test "$APPLY" = true ||' in scripts[step]
    assert build["substitutions"]["_APPLY"] == "false"
    # Verifying may fail, so that settling is reached; nothing else may.
    assert [step["id"] for step in build["steps"] if step.get("allowFailure")] == ["verify"]
    before: set[str] = {"-"}
    for step in build["steps"]:
        assert set(step.get("waitFor", [])) <= before, step["id"]
        before.add(step["id"])
    assert set(next(s for s in build["steps"] if s["id"] == "apply")["waitFor"]) >= {"test", "plan"}
    assert os.access(ROOT / "infra" / "deliver.sh", os.X_OK)
